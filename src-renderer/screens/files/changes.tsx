import type { ChangesView, FileChange } from '../../../src-main/contract/files.ts';
import { Empty } from '../../components/empty.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { folderOf } from './file-paths.ts';

const words: Readonly<Record<FileChange, string>> = { added: 'Added', modified: 'Modified', deleted: 'Deleted' };
/** A container that unpacked a whole system does not fill the page with it. */
const maxRows = 1000;

interface ChangesProps {
  readonly value?: ChangesView;
  readonly problem?: string;
  readonly onGo: (folder: string) => void;
}

/** What is other than in the image; each leads to its folder. */
export function Changes({ value, problem, onGo }: ChangesProps) {
  if (problem !== undefined) {
    return (
      <Empty title="The changes cannot be told">
        <p className="wrapped">{problem}</p>
      </Empty>
    );
  }
  if (value === undefined) return null;
  if (value.changes.length === 0) {
    return (
      <Empty title="As in the image">
        <p>No file was added, modified or deleted. What is in volumes is not compared.</p>
      </Empty>
    );
  }
  const hidden = Math.max(0, value.changes.length - maxRows) + value.more;
  return (
    <div className="page-body scroll" tabIndex={0}>
      <ul className="changes" aria-label="Changes">
        {value.changes.slice(0, maxRows).map(({ path, kind }) => (
          <li key={path}>
            <span className={`chip ${kind}`}>{words[kind]}</span>
            <button type="button" className="link" onClick={() => onGo(folderOf(path))}>
              <Outside text={path} className="mono" limit={1000} />
            </button>
          </li>
        ))}
      </ul>
      {hidden === 0 ? null : <p className="hint">and {formatCount(hidden, 'more change', 'more changes')}</p>}
    </div>
  );
}
