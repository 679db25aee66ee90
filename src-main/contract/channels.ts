/**
 * The whole surface between the host and its windows: every call, topic and stream, with its types.
 * Nothing else crosses. The names are `noun.verb`; `src-main/handlers/<noun>.ts` implements them.
 */
import type {
  BuildRequest,
  ContainerDetails,
  ContainerEdit,
  ContainerSamples,
  ContainerView,
  EditResult,
  EngineEvent,
  ImageDetails,
  ImageView,
  LogLine,
  ProcessList,
  RunRequest,
  TerminalView,
} from './engine.ts';
import type { DockerContextView } from './docker-context.ts';
import type { ChangesView, FilePlace, FileText, FolderView } from './files.ts';
import type { LayerFolderView, LayerHitsView, LayersView } from './layers.ts';
import type { NetworkRequest, NetworkView } from './networks.ts';
import type { FoundImage, RegistriesView, RegistryNames } from './registries.ts';
import type { Removal } from './removal.ts';
import type { TaskView } from './tasks.ts';
import type { DownloadItem, UploadItem, UploadMessage } from './transfers.ts';
import type { DoctorCheck, Settings, VmUsage, VmView } from './vm.ts';
import type { VolumeView } from './volumes.ts';

type Id = { readonly id: string };

/** As many containers as one window may watch the statistics of. */
export const maxStatsIds = 64;

/** One request, one answer. Errors arrive as `ErrorView`. */
export interface Calls {
  'app.info': (input: Record<string, never>) => {
    version: string;
    platform: string;
    shell: 'electron' | 'web';
    home: string;
    /** Whether this shell can have itself started when the user logs in. */
    canStartAtLogin: boolean;
  };
  /** Opens http(s) links only; anything else is `invalid-input`. In the web shell the page opens links itself. */
  'app.openExternal': (input: { url: string }) => void;
  'vm.start': (input: Record<string, never>) => void;
  'vm.stop': (input: Record<string, never>) => void;
  /** Saves its state and ends its process; `vm.start` brings it back, with containers as they were. */
  'vm.sleep': (input: Record<string, never>) => void;
  'vm.restart': (input: Record<string, never>) => void;
  /** All images, containers and volumes are gone for good; then the VM boots with an empty disk. */
  'vm.reset': (input: Record<string, never>) => void;
  /** Does the remedy for whatever is wrong now: boots, rebuilds the link, or restarts the VM. */
  'vm.mend': (input: Record<string, never>) => void;
  'vm.usage': (input: Record<string, never>) => VmUsage;
  /** One text for a bug report, without secrets. */
  'diagnostics.report': (input: Record<string, never>) => { text: string };
  'diagnostics.doctor': (input: Record<string, never>) => readonly DoctorCheck[];
  'settings.get': (input: Record<string, never>) => Settings;
  /** Takes effect at once where it can; returns what needs a restart of the VM. */
  'settings.set': (input: { settings: Settings }) => { needsRestart: readonly string[] };
  'dockerContext.inspect': (input: Record<string, never>) => DockerContextView;
  /** With `replace`, also where the name is another engine's; without, that is `conflict`. Other contexts stay as they are. */
  'dockerContext.add': (input: { replace: boolean }) => DockerContextView;
  /** When it was the current one, docker's own default is current again. Another engine's is `conflict`. */
  'dockerContext.remove': (input: Record<string, never>) => { wasCurrent: boolean };
  'images.inspect': (input: Id) => ImageDetails;
  /** What each of its layers adds, modifies and deletes, and what is wasted. */
  'images.layers': (input: Id) => LayersView;
  /** One folder as one layer changes it; layers are numbered from the bottom, from 0. */
  'images.layerFolder': (input: { id: string; layer: number; path: string }) => LayerFolderView;
  /** Names with the text in them, in any layer; paths, when it has a slash. */
  'images.searchLayers': (input: { id: string; text: string }) => LayerHitsView;
  'images.remove': (input: { id: string; force: boolean }) => {
    untagged: readonly string[];
    deleted: readonly string[];
  };
  /** Gives it one more name. */
  'images.tag': (input: { id: string; reference: string }) => void;
  /** Begins the pull, or joins the one of the same image; the topic `tasks` tells how it goes. */
  'images.pull': (input: { reference: string }) => { taskId: string };
  /** Sends it to the registry that its name says. */
  'images.push': (input: { reference: string }) => { taskId: string };
  /** Begins to remove the images without a name, or all (`unused`) that no container is made from. */
  'images.prune': (input: { unused: boolean }) => { taskId: string };
  /** It shows as cancelled at once; the work itself ends soon after. */
  'tasks.cancel': (input: Id) => void;
  /** Takes an ended one off the list. */
  'tasks.forget': (input: Id) => void;
  /** An empty name: the engine makes one. A name that is taken is `conflict`. */
  'volumes.create': (input: { name: string; labels: Readonly<Record<string, string>> }) => { name: string };
  'volumes.inspect': (input: { name: string }) => { raw: unknown };
  /** Exactly these. The engine keeps what a container uses; each is told apart. */
  'volumes.remove': (input: { names: readonly string[] }) => Removal;
  /** What the files of each weigh; one that is not there is left out. */
  'volumes.sizes': (input: { names: readonly string[] }) => {
    sizes: readonly { readonly name: string; readonly sizeBytes: number }[];
  };
  /** Makes a new volume with what is in this one. A name that is taken is `conflict`. */
  'volumes.clone': (input: { name: string; newName: string }) => { taskId: string };
  'networks.inspect': (input: Id) => { raw: unknown };
  /** A name that is taken is `conflict`. */
  'networks.create': (input: NetworkRequest) => { id: string };
  /** Exactly these. The engine keeps what a running container is on; each is told apart. */
  'networks.remove': (input: { ids: readonly string[] }) => Removal;
  /** A running container joins at once, any other when it starts. */
  'networks.connect': (input: { id: string; containerId: string; aliases: readonly string[] }) => void;
  'networks.disconnect': (input: { id: string; containerId: string }) => void;
  /** Has the registry try it, and keeps it when the registry takes it. A secret without a user name is a token. */
  'registries.login': (input: { server: string; username: string; secret: string }) => { server: string };
  /** Tries the login that is kept; what is wrong with it is the error. */
  'registries.test': (input: { server: string }) => void;
  'registries.logout': (input: { server: string }) => void;
  /** With the login there is. `name` is an image's, with or without a tag. */
  'registries.tags': (input: { name: string }) => RegistryNames;
  /** Not every registry tells: that is `engine` with status 401 or `not-found`. */
  'registries.repositories': (input: { server: string }) => RegistryNames;
  /**
   * In the registry whose name stands before the first slash, else the default one. A registry without a search is
   * `not-found`.
   */
  'registries.search': (input: { term: string }) => readonly FoundImage[];
  /** Creates and starts; the image must be there (pull it first). */
  'containers.run': (input: RunRequest) => { id: string; warnings: readonly string[] };
  'containers.inspect': (input: Id) => ContainerDetails;
  'containers.start': (input: Id) => void;
  'containers.stop': (input: Id) => void;
  'containers.restart': (input: Id) => void;
  'containers.kill': (input: Id) => void;
  'containers.pause': (input: Id) => void;
  'containers.unpause': (input: Id) => void;
  'containers.top': (input: Id) => ProcessList;
  /**
   * Limits and the restart policy change in place. Anything else makes a new container of the same name, volumes and
   * networks; the old one is renamed and kept, stopped, until one of the two calls below. On a failure all is as before.
   */
  'containers.edit': (input: { id: string; edit: ContainerEdit }) => EditResult;
  /** Removes the container kept from before the edit that made this one. */
  'containers.acceptEdit': (input: Id) => void;
  /** Puts the kept container back in the place of this one; returns its id. */
  'containers.rollBackEdit': (input: Id) => { id: string };
  'containers.rename': (input: { id: string; name: string }) => void;
  'containers.remove': (input: { id: string; force: boolean; volumes: boolean }) => void;
  /** One folder, whether a container runs or mounts it or not. Links within the path are followed. */
  'files.list': (input: { place: FilePlace; path: string }) => FolderView;
  /** What is other than in the image. */
  'files.changes': (input: Id) => ChangesView;
  /** The beginning of a file, to be looked at. */
  'files.read': (input: { place: FilePlace; path: string }) => FileText;
  /** Puts a text in the place of another, `before`; owner and rights stay. `conflict` when the file is no longer as that. */
  'files.write': (input: { place: FilePlace; path: string; before: string; text: string }) => void;
  /**
   * `command` absent: the best shell the container has (bash, then sh), and the toolbox's where it has none. `toolbox`: the command is
   * busybox's, which runs in the container without being in it.
   */
  'terminals.open': (input: {
    containerId: string;
    command?: readonly string[];
    user?: string;
    toolbox?: boolean;
    columns: number;
    rows: number;
  }) => { id: string };
  'terminals.close': (input: Id) => void;
}

/** State pushed to whoever subscribes: the current value at once, then every change. */
export interface Topics {
  vm: VmView;
  settings: Settings;
  images: readonly ImageView[];
  containers: readonly ContainerView[];
  volumes: readonly VolumeView[];
  networks: readonly NetworkView[];
  registries: RegistriesView;
  /** Newest first: what is under way, and what ended lately. */
  tasks: readonly TaskView[];
  terminals: readonly TerminalView[];
}

/** Long-lived, flow-controlled streams: `input` opens, `item`s come down, `message`s go up. */
export interface Streams {
  /** Batches of lines in order, across restarts of the agent and the link. `since` and `until` take in the lines of that time. */
  'logs.follow': {
    input: { containerId: string; tail: number | 'all'; since?: string; until?: string; follow: boolean };
    item: { readonly lines: readonly LogLine[] };
    message: never;
  };
  /**
   * Samples of these running containers, one a second each: first those kept of the last `historyS` seconds. A message
   * changes which containers; `maxStatsIds` at most.
   */
  'containers.stats': {
    input: { ids: readonly string[]; historyS: number };
    item: { readonly containers: readonly ContainerSamples[] };
    message: { readonly ids: readonly string[] };
  };
  /** First the kept scrollback, then live output. The terminal lives on when the stream is closed. */
  'terminals.attach': {
    input: { id: string };
    item: { readonly data: string } | { readonly ended: true; readonly exitCode: number };
    message: { readonly data: string } | { readonly columns: number; readonly rows: number };
  };
  /** Images as one archive, to be kept as a file. */
  'images.save': { input: { references: readonly string[] }; item: DownloadItem; message: never };
  /** An archive of images; once all of it has been taken, the loading goes on without the window. */
  'images.load': { input: { name: string; sizeBytes: number }; item: UploadItem; message: UploadMessage };
  /** An archive of the folder to build from; once all of it has been taken, the build goes on without the window. */
  'images.build': { input: BuildRequest; item: UploadItem; message: UploadMessage };
  /** All of a volume as one archive, to be kept as a file. */
  'volumes.export': { input: { name: string }; item: DownloadItem; message: never };
  /** An archive that a new volume is made of; once all of it has been taken, that goes on without the window. */
  'volumes.import': { input: { name: string; sizeBytes: number }; item: UploadItem; message: UploadMessage };
  /** A file as it is, or a folder as an archive. */
  'files.download': { input: { place: FilePlace; path: string }; item: DownloadItem; message: never };
  /** Makes or replaces a file; it then belongs to root, in the container or the volume. */
  'files.upload': {
    input: { place: FilePlace; folder: string; name: string; sizeBytes: number };
    item: UploadItem;
    message: UploadMessage;
  };
  /** What a task prints, in lines: first those that are kept, then live until it ends. */
  'tasks.output': { input: Id; item: { readonly lines: readonly string[] }; message: never };
  /** The serial console: what was captured so far, then live. */
  'vm.console': { input: Record<string, never>; item: { readonly data: string }; message: never };
  /** Engine events from now on; with `history`, first the last ones that the host has kept. */
  'engine.events': { input: { history?: boolean }; item: EngineEvent; message: never };
}

export type CallName = keyof Calls;
export type TopicName = keyof Topics;
export type StreamName = keyof Streams;
export type CallInput<K extends CallName> = Parameters<Calls[K]>[0];
export type CallResult<K extends CallName> = ReturnType<Calls[K]>;

/** What a window, a shell or the command line holds; `wire-client.ts` makes one over any transport. */
export interface HostClient {
  call<K extends CallName>(channel: K, input: CallInput<K>, signal?: AbortSignal): Promise<CallResult<K>>;
  /** Returns the function that ends the subscription. */
  subscribe<K extends TopicName>(topic: K, listener: (value: Topics[K]) => void): () => void;
  open<K extends StreamName>(stream: K, input: Streams[K]['input']): HostStream<K>;
}

/**
 * An open stream. Iterate it for items: the loop ends when the stream does, and throws an `AppError` if it failed.
 * Leaving the loop, or `close()`, closes the stream at the host.
 */
export interface HostStream<K extends StreamName> extends AsyncIterable<Streams[K]['item']> {
  send(message: Streams[K]['message']): void;
  close(): void;
}
