import { useState } from 'react';
import { BadgeCheck, Star } from 'lucide-react';
import type { FoundImage } from '../../../src-main/contract/registries.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Empty } from '../../components/empty.tsx';
import { Field } from '../../components/field.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { Outside } from '../../components/text.tsx';
import { formatCount } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { closeDialog, openDialog } from '../../stores/dialogs.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { useSearch, type SearchResult } from './use-search.ts';

const maxDescription = 300;

/** What a registry's search finds; one that is chosen goes on to the pull, where its tags are offered. */
export function SearchDialog({ term: given }: { term: string }) {
  const [text, setText] = useState(given);
  const ready = useEngineReady();
  const result = useSearch(ready ? text.trim() : '');
  return (
    <Dialog title="Search images" onClose={closeDialog} wide>
      <Field label="Search for" hint="On Docker Hub. To search another registry, put its name and a slash in front.">
        {(props) => (
          <input
            {...props}
            className="input"
            value={text}
            placeholder="nginx"
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="none"
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <div className="found-images scroll" aria-busy={result.state === 'asking'}>
        <Results result={result} ready={ready} />
      </div>
      <p className="quiet tag-note" role="status">
        {result.state === 'there' && result.images.length > 0 ? `${formatCount(result.images.length, 'image')}.` : ''}
        {result.state === 'asking' ? 'Asking the registry…' : ''}
      </p>
    </Dialog>
  );
}

function Results({ result, ready }: { result: SearchResult; ready: boolean }) {
  switch (result.state) {
    case 'none':
      return ready ? null : <p className="quiet">The engine has to run for a search.</p>;
    case 'asking':
      return <SkeletonRows count={4} />;
    case 'failed':
      return (
        <Empty title="The search did not work">
          <p className="wrapped">{visibleText(result.reason, 600)}</p>
        </Empty>
      );
    case 'there':
      if (result.images.length === 0) {
        return (
          <Empty title="Nothing found">
            <p>The registry has no image that fits these words.</p>
          </Empty>
        );
      }
      return (
        <ul aria-label="Found images">
          {result.images.map((image, index) => (
            // A registry may name one twice.
            <Found key={`${index}-${image.name}`} image={image} />
          ))}
        </ul>
      );
  }
}

function Found({ image: { name, description, stars, official } }: { image: FoundImage }) {
  return (
    <li>
      <button type="button" onClick={() => openDialog({ kind: 'pull', reference: `${name}:` })}>
        <span className="found-head">
          <Outside text={name} className="strong" />
          {official ? (
            <span className="chip">
              <BadgeCheck className="icon" aria-hidden /> Official
            </span>
          ) : null}
          <span className="quiet found-stars" title={formatCount(stars, 'star')}>
            <Star className="icon" aria-hidden /> {stars.toLocaleString('en')}
            <span className="sr"> stars</span>
          </span>
        </span>
        <span className="quiet found-text">{visibleText(description, maxDescription)}</span>
      </button>
    </li>
  );
}
