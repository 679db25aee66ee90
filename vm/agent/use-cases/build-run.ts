/** `RUN`: a container of the image so far, and a layer of what it changed. */
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { EngineError } from '../../contract/errors.ts';
import { log } from '../log.ts';
import type { Heredoc } from '../build/heredoc.ts';
import { heredocMark, heredocText } from '../build/heredoc.ts';
import { commandWords } from '../build/image-settings.ts';
import type { Action } from '../build/instruction.ts';
import type { BuildArgs } from '../build/build-args.ts';
import { shortId } from '../registry/reference.ts';
import type { BuildFolder } from './build-folder.ts';
import { addStep, useCache } from './build-state.ts';
import type { StageState, StepContext } from './build-state.ts';
import { openUpper } from './container-upper.ts';
import { createContainer } from './create-container.ts';
import type { CreateRequest } from './create-container.ts';
import { FrameReader } from './frames.ts';
import { makeLayer } from './make-layer.ts';
import type { Parts } from './parts.ts';
import { removeContainer } from './remove-container.ts';
import { startContainer } from './start-container.ts';
import { waitForContainer } from './wait-container.ts';

export interface RunContext {
  readonly parts: Parts;
  readonly folder: BuildFolder;
  /** Limits, network and the like of the containers. */
  readonly container: CreateRequest;
  readonly removeAfter: boolean;
  readonly removeAfterFailure: boolean;
}

/** The program in a build ended with another code than 0; the CLI ends with it too. */
export class StepFailed extends EngineError {
  readonly exitCode: number;

  constructor(command: string, exitCode: number) {
    super('system', `The command '${command}' returned a non-zero code: ${exitCode}`);
    this.exitCode = exitCode;
  }
}

interface Script {
  readonly words: readonly string[];
  readonly mounts: CreateRequest['hostConfig']['Mounts'];
}

export async function runStep(
  step: StepContext,
  context: RunContext,
  state: StageState,
  args: BuildArgs,
  action: Extract<Action, { kind: 'run' }>,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = state;
  if (state.image === undefined) {
    throw new EngineError('invalid-parameter', 'Please provide a source image with `from` prior to run');
  }
  const script = await scriptOf(context.folder, state, action);
  const { all, cached } = args.environment(settings.Env ?? []);
  const told = action.heredocs.length > 0 ? [...script.words, ...action.heredocs.map(heredocText)] : script.words;
  const createdBy = [...(cached.length > 0 ? [`|${cached.length}`, ...cached] : []), ...told].join(' ');
  if (await useCache(step, state, createdBy, settings)) return;
  const { id } = await createContainer(
    context.parts,
    undefined,
    {
      ...context.container,
      config: {
        ...context.container.config,
        Image: state.image.id,
        Cmd: script.words,
        Entrypoint: [''],
        Env: all,
        AttachStdout: true,
        AttachStderr: true,
        Healthcheck: { Test: ['NONE'] },
      },
      hostConfig: { ...context.container.hostConfig, Mounts: script.mounts },
    },
    { isBuildStep: true },
  );
  step.say(` ---> Running in ${shortId(id)}\n`);
  let keep = false;
  try {
    const exitCode = await runToEnd(context.parts, id, step, signal);
    if (exitCode !== 0) {
      keep = !context.removeAfterFailure;
      throw new StepFailed(script.words.join(' '), exitCode);
    }
    const record = context.parts.store.find(id);
    await using upper = await openUpper(context.parts, step.images, record);
    const source = { ...upper.source, ...(step.epoch === undefined ? {} : { maxTime: step.epoch }) };
    using made = await makeLayer(step.images, source, signal);
    keep = !context.removeAfter;
    if (!keep) await putAway(context.parts, id);
    if (!keep) step.say(` ---> Removed intermediate container ${shortId(id)}\n`);
    await addStep(step, state, createdBy, settings, made.layer);
  } finally {
    if (keep) context.parts.store.update(id, { isBuildStep: false });
    else await putAway(context.parts, id);
  }
}

async function putAway(parts: Parts, id: string): Promise<void> {
  if (parts.store.get(id) === undefined) return;
  await removeContainer(parts, id, { force: true, volumes: true }).catch((error: unknown) =>
    log.warn(`remove the build's container ${id}`, error),
  );
}

async function runToEnd(parts: Parts, id: string, step: StepContext, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  let reading: Promise<void> | undefined;
  parts.live.of(id).pending.add({
    join: async (running) => {
      // Who reads a build slowly, or page by page, holds it back; nothing of it is dropped.
      const output = await running.attach({ stdin: false, stdout: true, stderr: true, patient: true });
      reading = tellOutput(output as AsyncIterable<Buffer>, step);
    },
    end: () => undefined,
  });
  const { exit } = waitForContainer(parts, id, 'next-exit', signal);
  exit.catch(() => undefined); // a failed start is what counts
  await startContainer(parts, id);
  const { exitCode } = await exit;
  await reading;
  return exitCode;
}

/**
 * Undoes the eight-byte headers; characters that two frames share are put together. Reads on only when what was told has been
 * taken: the program waits meanwhile, as one that writes to a full pipe.
 */
export async function tellOutput(
  stream: AsyncIterable<Buffer>,
  { say, taken }: Pick<StepContext, 'say' | 'taken'>,
): Promise<void> {
  const decoders = [new StringDecoder('utf8'), new StringDecoder('utf8'), new StringDecoder('utf8')];
  const frames = new FrameReader();
  try {
    for await (const chunk of stream) {
      for (const piece of frames.read(chunk)) {
        const text = decoders[piece.stream]?.write(piece.bytes) ?? '';
        if (text !== '') say(text);
      }
      await taken();
    }
  } catch (error) {
    log.warn('output of a build step', error);
  }
}

/** `RUN <<EOF` alone runs the text itself, by the shell or by its own `#!`; other heredocs are the shell's affair. */
async function scriptOf(
  folder: BuildFolder,
  state: StageState,
  { command, heredocs }: Extract<Action, { kind: 'run' }>,
): Promise<Script> {
  const [first] = heredocs;
  if (command.form === 'exec' || first === undefined) {
    return { words: commandWords(command, state.settings), mounts: [] };
  }
  if (heredocMark(command.text) === undefined) {
    const whole = [command.text, ...heredocs.map(({ content, name }) => `${content}${name}`)].join('\n');
    return { words: commandWords({ form: 'shell', text: whole }, state.settings), mounts: [] };
  }
  const text = heredocText(first);
  if (!text.startsWith('#!')) return { words: commandWords({ form: 'shell', text }, state.settings), mounts: [] };
  return mountedScript(folder, first, text);
}

async function mountedScript(folder: BuildFolder, { name }: Heredoc, text: string): Promise<Script> {
  const file = path.join(await folder.make('script'), 'script');
  await writeFile(file, text);
  await chmod(file, 0o755);
  // Beneath /dev, which is no part of the layer.
  const target = `/dev/pipes/${name}`;
  return { words: [target], mounts: [{ Type: 'bind', Source: file, Target: target, ReadOnly: true }] };
}
