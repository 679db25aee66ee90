/** The fake host's layers: a small tree, alike in every image. */
import { AppError } from '../../src-main/contract/errors.ts';
import type { LayerEntry, LayerFolderView, LayersView } from '../../src-main/contract/layers.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import type { Record } from './handlers.ts';

type Calls = Pick<Handlers['calls'], 'images.layers' | 'images.layerFolder' | 'images.searchLayers'>;

const nothing = { added: 0, modified: 0, deleted: 0, sizeBytes: 0, deletedBytes: 0 };

function folder(name: string, sums: Partial<LayerEntry>): LayerEntry {
  return { ...nothing, name, kind: 'folder', change: 'unchanged', ...sums };
}

function file(name: string, change: 'added' | 'modified' | 'deleted', bytes: number): LayerEntry {
  const size = change === 'deleted' ? { deletedBytes: bytes } : { sizeBytes: bytes };
  return { ...nothing, name, kind: 'file', change, [change]: 1, ...size };
}

export class FakeLayers {
  /** By layer and path. */
  readonly folders = new Map<string, LayerFolderView>([
    [
      '0:/',
      {
        entries: [
          folder('usr', { change: 'added', added: 4120, sizeBytes: 71_000_000 }),
          folder('etc', { change: 'added', added: 2, sizeBytes: 1_900 }),
        ],
        more: 0,
      },
    ],
    ['0:/usr', { entries: [folder('bin', { change: 'added', added: 4120, sizeBytes: 71_000_000 })], more: 0 }],
    [
      '0:/usr/bin',
      {
        entries: Array.from({ length: 4120 }, (_, index) => file(`tool-${index}`, 'added', 5000 - index)),
        more: 880,
      },
    ],
    ['0:/etc', { entries: [file('hosts', 'added', 1200), file('motd', 'added', 700)], more: 0 }],
    [
      '1:/',
      {
        entries: [
          folder('usr', { added: 3, deleted: 1, sizeBytes: 113_000_000, deletedBytes: 41_000 }),
          folder('etc', { modified: 1, deleted: 1, sizeBytes: 1_300, deletedBytes: 700 }),
        ],
        more: 0,
      },
    ],
    [
      '1:/etc',
      {
        entries: [file('hosts', 'modified', 1300), file('motd', 'deleted', 700), file('<b>\u202etxt', 'added', 0)],
        more: 0,
      },
    ],
    ['2:/', { entries: [file('docker-entrypoint.sh', 'added', 1620)], more: 0 }],
  ]);
  view: LayersView = {
    layers: [
      { ...nothing, added: 4122, sizeBytes: 71_001_900 },
      { ...nothing, added: 4, modified: 1, deleted: 2, sizeBytes: 113_001_300, deletedBytes: 41_700 },
      { ...nothing, added: 1, sizeBytes: 1_620 },
    ],
    wasted: {
      files: 3,
      sizeBytes: 42_900,
      largest: [
        { path: '/usr/share/doc/<b>all</b>.gz', sizeBytes: 41_000, layer: 0, by: 1, removed: true },
        { path: '/etc/hosts', sizeBytes: 1_200, layer: 0, by: 1, removed: false },
        { path: '/etc/motd', sizeBytes: 700, layer: 0, by: 1, removed: true },
      ],
    },
  };
  /** What every folder waits for. */
  read: Promise<void> = Promise.resolve();
  readonly calls: Calls;

  constructor(record: Record) {
    this.calls = {
      'images.layers': (input) => record('images.layers', input, () => this.view),
      'images.layerFolder': (input) =>
        record('images.layerFolder', input, async () => {
          await this.read;
          const found = this.folders.get(`${input.layer}:${input.path}`);
          if (!found) throw new AppError('not-found', `list ${input.path}: the layer has no folder ${input.path}`);
          return found;
        }),
      'images.searchLayers': (input) => record('images.searchLayers', input, () => this.#search(input.text)),
    };
  }

  #search(text: string) {
    const hits = [...this.folders].flatMap(([key, { entries }]) => {
      const [layer = '', path = ''] = key.split(':');
      return entries.flatMap(({ name, kind, change, sizeBytes, deletedBytes }) =>
        change === 'unchanged' || !name.toLowerCase().includes(text.toLowerCase())
          ? []
          : [
              {
                path: path === '/' ? `/${name}` : `${path}/${name}`,
                layer: Number(layer),
                kind,
                change,
                sizeBytes: change === 'deleted' ? deletedBytes : sizeBytes,
              },
            ],
      );
    });
    return { hits: hits.slice(0, 1000), more: hits.length > 1000 };
  }
}
