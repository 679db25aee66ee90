/** The fake host's files: one small tree for every container. */
import type { FileEntry } from '../../src-main/contract/files.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { download, upload } from '../../src-main/handlers/transfers.ts';
import type { Tasks } from '../../src-main/tasks/tasks.ts';
import type { Record } from './handlers.ts';

type Calls = Pick<Handlers['calls'], 'files.list' | 'files.changes' | 'files.read' | 'files.write'>;
type Streams = Pick<Handlers['streams'], 'files.download' | 'files.upload'>;

/** A folder's entries by name: text is a file, undefined a folder, `→ path` a link. */
type Tree = Map<string, Map<string, string | undefined>>;

export class FakeFiles {
  readonly tree: Tree = new Map(
    Object.entries({
      '/': { etc: undefined, srv: undefined, bin: '→ usr/bin', 'notes.txt': 'first line\nsecond line\n' },
      '/etc': { nginx: undefined, hostname: 'web\n', localtime: '→ /usr/share/zoneinfo/UTC' },
      '/etc/nginx': { 'nginx.conf': 'worker_processes auto;\n', 'mime.types': 'text/plain txt;\n'.repeat(60) },
      '/srv': {},
      '/usr/bin': { env: '\0ELF' },
    }).map(([folder, entries]) => [folder, new Map<string, string | undefined>(Object.entries(entries))] as const),
  );
  changes: Awaited<ReturnType<Calls['files.changes']>> = {
    changes: [
      { path: '/etc', kind: 'modified' },
      { path: '/etc/hostname', kind: 'modified' },
      { path: '/etc/motd', kind: 'deleted' },
      { path: '/notes.txt', kind: 'added' },
    ],
    more: 0,
  };
  readonly calls: Calls;
  readonly streams: Streams;

  constructor(tasks: Tasks, record: Record) {
    this.calls = {
      'files.list': ({ place, path }) =>
        record('files.list', { place, path }, () => ({ entries: this.#entries(path), more: false })),
      'files.changes': () => this.changes,
      'files.write': ({ place, path, before, text }) =>
        record('files.write', { place, path, text }, () => {
          if (this.#text(path) !== before) throw new AppError('conflict', `save ${path}: it was changed meanwhile`);
          const cut = path.lastIndexOf('/');
          this.#folder(cut === 0 ? '/' : path.slice(0, cut)).set(path.slice(cut + 1), text);
        }),
      'files.read': ({ path }) => {
        const text = this.#text(path);
        const isText = !text.includes('\0');
        return { text: isText ? text : '', isText, sizeBytes: text.length, more: false };
      },
    };
    this.streams = {
      'files.download': ({ path }, context) => {
        void record('files.download', { path }, () => undefined);
        const bytes = Buffer.from(this.#contentOr(path, `archive of ${path}`));
        const source = async function* () {
          yield await Promise.resolve(bytes);
        };
        return download(tasks, { kind: 'download', name: path, attempt: `download ${path}` }, context, () =>
          Promise.resolve({ bytes: source(), total: bytes.length }),
        );
      },
      'files.upload': ({ folder, name, sizeBytes }, context) =>
        upload(
          tasks,
          { kind: 'upload', name: `${folder}/${name}`, attempt: `upload ${name}` },
          sizeBytes,
          context,
          async (bytes) => {
            const pieces: Buffer[] = [];
            for await (const piece of bytes) pieces.push(piece);
            this.#folder(folder).set(name, Buffer.concat(pieces).toString());
          },
        ),
    };
  }

  #folder(path: string) {
    const found = this.tree.get(path === '/bin' ? '/usr/bin' : path);
    if (!found) throw new AppError('not-found', `list ${path}: Could not find the file ${path} in the container`);
    return found;
  }

  #entries(path: string): FileEntry[] {
    const entries = [...this.#folder(path)].map(([name, content]): FileEntry => {
      const link = content?.startsWith('→ ') === true;
      const kind = content === undefined ? 'folder' : link ? 'link' : 'file';
      return {
        name,
        kind,
        permissions: kind === 'file' ? 'rw-r--r--' : 'rwxr-xr-x',
        sizeBytes: content?.length ?? 4096,
        modifiedAtMs: Date.now() - 3_600_000,
        target: link ? content.slice(2) : '',
      };
    });
    return entries.sort((a, b) => Number(a.kind !== 'folder') - Number(b.kind !== 'folder'));
  }

  #text(path: string): string {
    const cut = path.lastIndexOf('/');
    const content = this.#folder(path.slice(0, cut) || '/').get(path.slice(cut + 1));
    if (content === undefined || content.startsWith('→ ')) {
      throw new AppError('invalid-input', `read ${path}: it is not a file`, { hint: 'Download it as an archive.' });
    }
    return content;
  }

  #contentOr(path: string, other: string): string {
    try {
      return this.#text(path);
    } catch {
      return other;
    }
  }
}
