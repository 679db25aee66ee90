/** A stage of a build as it stands, and how a step takes it further: from the cache, or as a new image. */
import { rfc3339Now } from '../clock.ts';
import { shellOf } from '../build/image-settings.ts';
import type { ImageSettings } from '../build/image-settings.ts';
import { shortId } from '../registry/reference.ts';
import { scratch } from '../state/images.ts';
import type { KnownImage, StoredLayer } from '../state/images.ts';
import type { BuildOutput } from './build-request.ts';
import type { ImageParts } from './image-parts.ts';
import { storeImage } from './store-image.ts';

/** Written by the steps, one after the other. */
export interface StageState {
  /** Undefined on `FROM scratch`, before the first step. */
  image: KnownImage | undefined;
  settings: ImageSettings;
  author: string;
  /** A step was not in the cache: the ones after it cannot be. */
  missed: boolean;
  /** CMD was given in this stage. */
  commandGiven: boolean;
}

export interface StepContext {
  readonly images: ImageParts;
  readonly noCache: boolean;
  /** Only their steps are reused, when there are any. */
  readonly cacheFrom: readonly KnownImage[];
  readonly epoch: number | undefined;
  readonly say: (text: string) => void;
  /** See {@link BuildOutput.taken}. */
  readonly taken: BuildOutput['taken'];
  /** Keeps an image and its layers from garbage collection until the build is over. */
  readonly keep: (image: KnownImage) => void;
}

interface HistoryEntry {
  readonly created_by?: string;
  readonly empty_layer?: boolean;
  readonly created?: string;
}

/** How the image's history tells a step that runs nothing. */
export function historyText(settings: ImageSettings, said: string): string {
  return [...shellOf(settings), `#(nop) ${said}`].join(' ');
}

/** Takes the stage to what an earlier build made of this very step; false when there is none. */
export async function useCache(
  step: StepContext,
  state: StageState,
  createdBy: string,
  settings: ImageSettings,
): Promise<boolean> {
  if (step.noCache || state.missed) return false;
  const found =
    step.cacheFrom.length > 0
      ? await fromGivenImages(step, state, createdBy, settings)
      : step.images.records
          .children(state.image?.id ?? scratch)
          .find((image) => isBuildStep(image) && historyOf(image).at(-1)?.created_by === createdBy);
  if (found === undefined) {
    state.missed = true;
    return false;
  }
  step.say(' ---> Using cache\n');
  enter(step, state, found, settings);
  return true;
}

/** Makes the image that this step leads to. */
export async function addStep(
  step: StepContext,
  state: StageState,
  createdBy: string,
  settings: ImageSettings,
  layer: StoredLayer | undefined,
): Promise<void> {
  const before = configOf(state.image, step.images);
  const created = step.epoch === undefined ? rfc3339Now() : new Date(step.epoch * 1000).toISOString();
  const below = state.image?.layers ?? [];
  const image = await storeImage(step.images, {
    parentId: state.image?.id ?? scratch,
    layers: layer === undefined ? below : [...below, layer],
    config: {
      ...before,
      created,
      ...(state.author === '' ? {} : { author: state.author }),
      config: settings,
      history: [
        ...before.history,
        {
          created,
          created_by: createdBy,
          ...(state.author === '' ? {} : { author: state.author }),
          ...(layer === undefined ? { empty_layer: true } : {}),
        },
      ],
    },
  });
  enter(step, state, image, settings);
}

function enter(step: StepContext, state: StageState, image: KnownImage, settings: ImageSettings): void {
  step.keep(image);
  state.image = image;
  state.settings = settings;
  step.say(` ---> ${shortId(image.id)}\n`);
}

/** A commit may have the same words in its history as a RUN, but other settings. */
function isBuildStep(image: KnownImage): boolean {
  return !('container' in (JSON.parse(image.configText) as object));
}

function historyOf(image: KnownImage | undefined): readonly HistoryEntry[] {
  if (image === undefined) return [];
  return (JSON.parse(image.configText) as { history?: readonly HistoryEntry[] | null }).history ?? [];
}

function configOf(
  image: KnownImage | undefined,
  images: ImageParts,
): Record<string, unknown> & { history: readonly HistoryEntry[] } {
  if (image === undefined) {
    const { os, architecture, variant } = images.platform;
    return { os, architecture, ...(variant === undefined ? {} : { variant }), history: [] };
  }
  const { container: _of, ...config } = JSON.parse(image.configText) as Record<string, unknown>;
  return { ...config, history: historyOf(image) };
}

/** `--cache-from`: an image whose history begins as the stage's does, and goes on with this step. */
async function fromGivenImages(
  step: StepContext,
  state: StageState,
  createdBy: string,
  settings: ImageSettings,
): Promise<KnownImage | undefined> {
  const own = historyOf(state.image);
  const below = state.image?.layers ?? [];
  for (const image of step.cacheFrom) {
    const history = historyOf(image);
    const next = history[own.length];
    if (next?.created_by !== createdBy) continue;
    const sameSteps = own.every((entry, index) => history[index]?.created_by === entry.created_by);
    const sameLayers = below.every(({ diffId }, index) => image.layers[index]?.diffId === diffId);
    const layer = next.empty_layer === true ? undefined : image.layers[below.length];
    if (!sameSteps || !sameLayers || (layer === undefined && next.empty_layer !== true)) continue;
    return storeImage(step.images, {
      parentId: state.image?.id ?? scratch,
      layers: layer === undefined ? below : [...below, layer],
      config: {
        ...configOf(state.image, step.images),
        created: next.created,
        config: settings,
        history: [...own, next],
      },
    });
  }
  return undefined;
}
