/** The Engine API's answers as far as the window shows them, and their translation into view types. */
import { z } from 'zod';
import type {
  ContainerDetails,
  ContainerHealth,
  ContainerState,
  ContainerView,
  EngineEvent,
  ImageDetails,
  ImageView,
  PortView,
} from '../contract/engine.ts';
import { editableInspect, editOf } from './edited-container.ts';

const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
export const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

const states: readonly ContainerState[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const state = z.string().transform((value) => states.find((known) => known === value) ?? 'dead');

export const imageSummaries = z.array(
  z.object({
    Id: z.string(),
    RepoTags: strings,
    RepoDigests: strings,
    Size: z.number(),
    SharedSize: z.number().default(-1),
    Created: z.number(),
  }),
);
export type ImageSummary = z.infer<typeof imageSummaries>[number];

export const imageInspect = z.object({
  Id: z.string(),
  RepoTags: strings,
  RepoDigests: strings,
  Created: text,
  Size: z.number(),
  RootFS: z
    .object({ Layers: strings })
    .nullish()
    .transform((value) => value?.Layers ?? []),
  Architecture: text,
  Os: text,
  Config: z
    .object({
      Cmd: strings,
      Entrypoint: strings,
      Env: strings,
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      User: text,
      WorkingDir: text,
    })
    .nullish(),
});

export const imageHistory = z.array(z.object({ CreatedBy: text, Size: z.number(), Created: z.number() }));

export const imageRemoval = z.array(z.object({ Untagged: z.string().optional(), Deleted: z.string().optional() }));

export const imagePrune = z.object({ SpaceReclaimed: z.number() });

export const containerSummaries = z.array(
  z.object({
    Id: z.string(),
    Names: strings,
    Image: z.string(),
    ImageID: text,
    Command: text,
    Created: z.number(),
    State: state,
    Status: text,
    Ports: z
      .array(
        z.object({
          IP: z.string().optional(),
          PrivatePort: z.number(),
          PublicPort: z.number().optional(),
          Type: z.string(),
        }),
      )
      .nullish(),
    Labels: labels,
    Mounts: z
      .array(z.object({ Type: text, Name: text, Destination: text, RW: z.boolean().default(true) }))
      .nullish()
      .transform((value) => value ?? []),
    NetworkSettings: z
      .object({
        Networks: z
          .record(
            z.string(),
            z
              .object({
                NetworkID: text,
                IPAddress: text,
                GlobalIPv6Address: text,
                MacAddress: text,
                Aliases: strings,
              })
              .nullable(),
          )
          .nullish(),
      })
      .nullish()
      .transform((value) => value?.Networks ?? {}),
  }),
);
export type ContainerSummary = z.infer<typeof containerSummaries>[number];

export const containerInspect = z.object({
  Id: z.string(),
  Name: text,
  Image: text,
  Created: text,
  Path: text,
  Args: strings,
  State: z.object({
    Status: state,
    ExitCode: z.number().default(0),
    OOMKilled: z.boolean().default(false),
    Error: text,
    StartedAt: text,
    FinishedAt: text,
    Health: z.object({ Status: text }).nullish(),
  }),
  Config: z.object({
    Image: text,
    Tty: z.boolean().default(false),
    Env: strings,
    WorkingDir: text,
    User: text,
    Labels: labels,
  }),
  HostConfig: z
    .object({ RestartPolicy: z.object({ Name: text }).nullish() })
    .nullish()
    .transform((value) => value ?? {}),
  NetworkSettings: z
    .object({
      IPAddress: text,
      Networks: z.record(z.string(), z.object({ IPAddress: text }).nullable()).nullish(),
    })
    .nullish(),
});

export const processList = z.object({
  Titles: strings,
  Processes: z
    .array(z.array(z.string()))
    .nullish()
    .transform((rows) => rows ?? []),
});

export const containerCreated = z.object({ Id: z.string(), Warnings: strings });

export const execCreated = z.object({ Id: z.string() });
export const execInspect = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });

/** The last object of an answer that began well and then failed. */
export const failure = z.object({
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).nullish(),
});

export const pullMessage = failure.extend({
  id: text,
  status: text,
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
});

/** Of a build or a load: text, or progress as in a pull. */
export const buildMessage = pullMessage.extend({
  stream: text,
  aux: z.object({ ID: z.string().optional() }).nullish(),
});

/** The image that a line of a load says was loaded: by its name, or by its id when it has none. */
export function loadedImage(line: string): readonly string[] {
  const [, name] = /^Loaded image(?: ID)?: (\S+)/.exec(line) ?? [];
  return name === undefined ? [] : [name];
}

export const eventMessage = z.object({
  Type: text,
  Action: text,
  Actor: z.object({ ID: text, Attributes: labels }),
  time: z.number().default(0),
  timeNano: z.number().default(0),
});

export function toImageView(image: ImageSummary, usedBy: readonly string[]): ImageView {
  return {
    id: image.Id,
    tags: withoutNone(image.RepoTags),
    digests: withoutNone(image.RepoDigests),
    sizeBytes: image.Size,
    ...(image.SharedSize < 0 ? {} : { sharedBytes: image.SharedSize }),
    createdAtMs: image.Created * 1000,
    usedBy,
  };
}

/** Docker writes `<none>:<none>` for an image without a name. */
function withoutNone(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.includes('<none>'));
}

export function toImageDetails(
  image: z.infer<typeof imageInspect>,
  history: z.infer<typeof imageHistory>,
  usedBy: readonly string[],
): ImageDetails {
  const config = image.Config;
  return {
    id: image.Id,
    tags: withoutNone(image.RepoTags),
    digests: withoutNone(image.RepoDigests),
    sizeBytes: image.Size,
    createdAtMs: timeMs(image.Created),
    usedBy,
    architecture: image.Architecture,
    os: image.Os,
    command: config?.Cmd ?? [],
    entrypoint: config?.Entrypoint ?? [],
    environment: config?.Env ?? [],
    exposedPorts: Object.keys(config?.ExposedPorts ?? {}),
    volumes: Object.keys(config?.Volumes ?? {}),
    user: config?.User ?? '',
    workingFolder: config?.WorkingDir ?? '',
    // The engine tells the newest first.
    history: history.toReversed().map((entry) => ({
      createdBy: entry.CreatedBy,
      sizeBytes: entry.Size,
      createdAtMs: entry.Created * 1000,
      empty: entry.Size === 0,
    })),
  };
}

/** Without Docker's slash. */
export function containerName(container: Pick<ContainerSummary, 'Id' | 'Names'>): string {
  return (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, '');
}

export function toContainerView(container: ContainerSummary): ContainerView {
  return {
    id: container.Id,
    name: containerName(container),
    image: container.Image,
    imageId: container.ImageID,
    command: container.Command,
    state: container.State,
    ...withHealth(healthInStatus(container.Status)),
    status: container.Status,
    createdAtMs: container.Created * 1000,
    ports: (container.Ports ?? []).flatMap((port): PortView[] => {
      if (port.Type !== 'tcp' && port.Type !== 'udp') return [];
      const published = port.PublicPort === undefined ? {} : { hostIp: port.IP ?? '', hostPort: port.PublicPort };
      return [{ containerPort: port.PrivatePort, protocol: port.Type, ...published }];
    }),
    labels: container.Labels,
  };
}

/** The list says it in words only: `Up 3 minutes (healthy)`, `Up 2 seconds (health: starting)`. */
function healthInStatus(status: string): string | undefined {
  return /\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(status)?.[1];
}

const healths: readonly ContainerHealth[] = ['starting', 'healthy', 'unhealthy'];

function withHealth(status: string | undefined): { readonly health?: ContainerHealth } {
  const health = healths.find((known) => known === status);
  return health === undefined ? {} : { health };
}

/** @param view the same container in the list, for what inspect does not say; absent when it was just removed */
export function toContainerDetails(raw: unknown, view: ContainerView | undefined): ContainerDetails {
  const inspected = containerInspect.parse(raw);
  const networks = Object.values(inspected.NetworkSettings?.Networks ?? {});
  return {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    image: inspected.Config.Image,
    imageId: inspected.Image,
    command: [inspected.Path, ...inspected.Args].join(' '),
    state: inspected.State.Status,
    ...withHealth(inspected.State.Health?.Status),
    status: view?.status ?? inspected.State.Status,
    createdAtMs: timeMs(inspected.Created),
    ports: view?.ports ?? [],
    labels: inspected.Config.Labels,
    exitCode: inspected.State.ExitCode,
    oomKilled: inspected.State.OOMKilled,
    error: inspected.State.Error,
    startedAtMs: timeMs(inspected.State.StartedAt),
    finishedAtMs: timeMs(inspected.State.FinishedAt),
    tty: inspected.Config.Tty,
    environment: inspected.Config.Env,
    workingFolder: inspected.Config.WorkingDir,
    user: inspected.Config.User,
    restartPolicy: inspected.HostConfig.RestartPolicy?.Name ?? '',
    ipAddress:
      inspected.NetworkSettings?.IPAddress || (networks.find((network) => network?.IPAddress)?.IPAddress ?? ''),
    editable: editOf(editableInspect.parse(raw)),
    raw,
  };
}

/** Docker's zero time (year 1) means never: 0. */
export function timeMs(time: string): number {
  const ms = Date.parse(time);
  return Number.isNaN(ms) || ms < 0 ? 0 : ms;
}

/** Progress of one layer (or of the whole, when `layer` is empty) during a pull. */
export interface PullProgress {
  readonly layer: string;
  /** Docker's own words: `Downloading`, `Extracting`, `Pull complete`, `Already exists`… */
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export function toPullProgress(message: z.infer<typeof pullMessage>): PullProgress {
  const { current, total } = message.progressDetail ?? {};
  return {
    layer: message.id,
    status: message.status,
    ...(current === undefined ? {} : { currentBytes: current }),
    ...(total === undefined ? {} : { totalBytes: total }),
  };
}

export function toEngineEvent(message: z.infer<typeof eventMessage>): EngineEvent {
  return {
    type: message.Type,
    action: message.Action,
    actorId: message.Actor.ID,
    attributes: message.Actor.Attributes,
    timeNano: message.timeNano || message.time * 1e9,
  };
}
