/** One stage of a build: its base, what that asks for (ONBUILD), its steps. */
import { EngineError } from '../../contract/errors.ts';
import type { BuildArgs } from '../build/build-args.ts';
import { parseDockerfile } from '../build/dockerfile.ts';
import { expandInstruction } from '../build/expand-instruction.ts';
import { expand } from '../build/expansion.ts';
import { applySetting } from '../build/image-settings.ts';
import type { ImageSettings } from '../build/image-settings.ts';
import { readInstruction } from '../build/instruction.ts';
import type { CopyAction, Instruction } from '../build/instruction.ts';
import type { Stage } from '../build/stages.ts';
import { parsePlatform } from '../registry/platform.ts';
import { parseReference, shortId } from '../registry/reference.ts';
import type { KnownImage } from '../state/images.ts';
import { copyStep, workdirStep } from './build-copy.ts';
import type { CopyContext } from './build-copy.ts';
import type { BuildFolder } from './build-folder.ts';
import type { BuildLine, BuildRequest } from './build-request.ts';
import { runStep } from './build-run.ts';
import { addStep, historyText, useCache } from './build-state.ts';
import type { StageState, StepContext } from './build-state.ts';
import { findImage } from './find-image.ts';
import { mountMerged } from './merged-root.ts';
import type { Parts } from './parts.ts';
import { pullImage } from './pull-image.ts';

export interface StageContext {
  readonly parts: Parts;
  readonly folder: BuildFolder;
  readonly request: BuildRequest;
  readonly escape: string;
  readonly args: BuildArgs;
  readonly step: StepContext;
  readonly report: (line: BuildLine) => void;
  readonly signal: AbortSignal;
  /** `Step 1/4 : …`. */
  readonly announce: (original: string) => void;
  /** Those that are done. */
  readonly stages: readonly { readonly stage: Stage; readonly image: KnownImage | undefined }[];
}

/** Resolves with the image it ends in; undefined when it is `scratch` and nothing more. */
export async function runStage(stage: Stage, context: StageContext): Promise<KnownImage | undefined> {
  const { args, step, escape } = context;
  context.announce(stage.from.original);
  args.startStage();
  const state = await startState(stage, context);
  const triggers = state.settings.OnBuild ?? [];
  if (triggers.length > 0) {
    step.say(`# Executing ${triggers.length} build trigger${triggers.length === 1 ? '' : 's'}\n`);
    const { OnBuild: _triggers, ...settings } = state.settings;
    state.settings = settings;
    for (const raw of parseDockerfile(triggers.join('\n')).instructions) {
      await runInstruction(readInstruction(raw, '\\'), state, context);
    }
  }
  for (const instruction of stage.steps) {
    context.announce(instruction.original);
    context.signal.throwIfAborted();
    await runInstruction(instruction, state, { ...context, escape });
  }
  return state.image;
}

async function startState({ from }: Stage, context: StageContext): Promise<StageState> {
  const { args, escape, step } = context;
  const name = expand(from.image, args.globalVariables(), escape);
  if (name === '') throw new EngineError('invalid-parameter', `base name (${from.image}) should not be blank`);
  const platform = expand(from.platform, args.globalVariables(), escape) || context.request.platform;
  const empty = { author: '', missed: false, commandGiven: false };
  const earlier = context.stages.findLast(({ stage }) => stage.from.name === name.toLowerCase());
  if (earlier === undefined && name === 'scratch') {
    step.say(' ---> \n');
    return { ...empty, image: undefined, settings: { Env: [defaultPath] } };
  }
  const image = earlier === undefined ? await bringBase(name, platform, context) : earlier.image;
  if (image === undefined) return { ...empty, image, settings: { Env: [defaultPath] } };
  step.keep(image);
  step.say(` ---> ${shortId(image.id)}\n`);
  return { ...empty, image, settings: settingsOf(image) };
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function settingsOf(image: KnownImage): ImageSettings {
  const { config } = JSON.parse(image.configText) as { config?: Record<string, unknown> | null };
  const given = Object.entries(config ?? {}).filter(([, value]) => value !== null && value !== '');
  return Object.fromEntries(given);
}

/** What is here, unless it is to be pulled or is for another platform. */
async function bringBase(name: string, platformText: string, context: StageContext): Promise<KnownImage> {
  const { images } = context.step;
  const platform = platformText === '' ? undefined : parsePlatform(platformText, images.platform);
  const local = (): KnownImage | undefined => {
    try {
      return findImage(images.records, name).image;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'not-found') return undefined;
      throw error;
    }
  };
  const found = local();
  const fits = found !== undefined && (platform === undefined || platform.architecture === found.config.architecture);
  if (fits && !context.request.pull) return found;
  const reference = parseReference(name);
  const credentials = context.request.credentials(reference.domain);
  await pullImage(images, { reference, platform, credentials }, context.report, context.signal);
  const pulled = local();
  if (pulled === undefined) throw new EngineError('not-found', `No such image: ${name}`);
  return pulled;
}

async function runInstruction(instruction: Instruction, state: StageState, context: StageContext): Promise<void> {
  const { args, step, escape, signal } = context;
  const variables = args.variables(state.settings.Env ?? []);
  const action = expandInstruction(instruction, variables, escape);
  switch (action.kind) {
    case 'from':
      throw new EngineError('invalid-parameter', 'FROM cannot be here');
    case 'arg': {
      for (const { name, value } of action.args) {
        args.declare(
          name,
          value === undefined ? undefined : expand(value, args.variables(state.settings.Env ?? []), escape),
        );
      }
      const said = action.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ');
      await settingStep(step, state, { settings: state.settings, said: `ARG ${said}` });
      return;
    }
    case 'run':
      await runStep(step, { ...context, ...context.request }, state, args, action, signal);
      return;
    case 'copy':
      await copyFrom(action, state, { ...context, variables }, context);
      return;
    case 'maintainer':
      state.author = action.value;
      await settingStep(step, state, { settings: state.settings, said: `MAINTAINER ${action.value}` });
      return;
    case 'workdir':
      await workdirStep(step, { ...context, variables }, state, applySetting(state.settings, action), signal);
      return;
    default: {
      const changed = applySetting(state.settings, action, state.commandGiven);
      if (action.kind === 'cmd') state.commandGiven = true;
      await settingStep(step, state, changed);
    }
  }
}

async function settingStep(
  step: StepContext,
  state: StageState,
  { settings, said }: { readonly settings: ImageSettings; readonly said: string },
): Promise<void> {
  const createdBy = historyText(state.settings, ` ${said}`);
  if (await useCache(step, state, createdBy, settings)) return;
  await addStep(step, state, createdBy, settings, undefined);
}

/** From the context, an earlier stage, or another image. */
async function copyFrom(
  action: CopyAction,
  state: StageState,
  copy: CopyContext,
  context: StageContext,
): Promise<void> {
  const { step, signal } = context;
  if (action.from === '') {
    await copyStep(step, copy, state, action, context.folder.context, signal);
    return;
  }
  const byName = context.stages.findLast(({ stage }) => stage.from.name === action.from.toLowerCase());
  const stage = byName ?? (/^\d+$/.test(action.from) ? context.stages[Number(action.from)] : undefined);
  const image = stage === undefined ? await bringSource(action.from, context) : stage.image;
  if (image !== undefined) step.keep(image);
  const layers = (image?.layers ?? []).map(({ diffId }) => diffId);
  await using root = await mountMerged(context.parts.config, await step.images.snapshotter.layerFolders(layers));
  await copyStep(step, copy, state, action, root.folder, signal);
}

async function bringSource(name: string, context: StageContext): Promise<KnownImage> {
  if (/^\d+$/.test(name)) {
    throw new EngineError('invalid-parameter', `invalid from flag value ${name}: invalid stage index`);
  }
  try {
    return await bringBase(name, context.request.platform, context);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `invalid from flag value ${name}: ${error.message}`, { cause: error });
  }
}
