/** `COPY`, `ADD` and `WORKDIR`: files into a layer, without a container. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import { resolvePath } from '../build/image-settings.ts';
import type { ImageSettings } from '../build/image-settings.ts';
import type { CopyAction } from '../build/instruction.ts';
import type { Variables } from '../build/expansion.ts';
import { isArchive, unpackArchive } from './build-archive.ts';
import type { BuildFolder } from './build-folder.ts';
import { digestOf, findSources } from './build-sources.ts';
import type { CopySource } from './build-sources.ts';
import { addStep, historyText, useCache } from './build-state.ts';
import type { StageState, StepContext } from './build-state.ts';
import { resolveUser } from './container-user.ts';
import { makeLayer } from './make-layer.ts';
import { mountMerged } from './merged-root.ts';
import type { Parts } from './parts.ts';
import { resolveBeneath } from './resolve-beneath.ts';

export interface CopyContext {
  readonly parts: Parts;
  readonly folder: BuildFolder;
  readonly variables: Variables;
  readonly escape: string;
}

interface Target {
  readonly root: string;
  /** Absolute, in the image. */
  readonly path: string;
  /** Ends with a slash, or is a folder already: sources keep their names. */
  readonly isFolder: boolean;
}

/** `root`: where the sources are. */
export async function copyStep(
  step: StepContext,
  context: CopyContext,
  state: StageState,
  action: CopyAction,
  root: string,
  signal: AbortSignal,
): Promise<void> {
  const mode = parseMode(action.chmod);
  const sources = await findSources(action, { ...context, images: step.images, root }, signal);
  const isMany = sources.length > 1;
  if (isMany && !asksForFolder(action.destination)) {
    throw new EngineError(
      'invalid-parameter',
      `When using ${action.verb} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const destination = resolvePath(state.settings.WorkingDir, action.destination);
  const flags = [
    ...(action.chown === '' ? [] : [`--chown=${action.chown} `]),
    ...(action.chmod === '' ? [] : [`--chmod=${action.chmod} `]),
  ].join('');
  const slash = asksForFolder(action.destination) && destination !== '/' ? '/' : '';
  const digest = await digestOf(sources, step.images.program, signal);
  const createdBy = historyText(state.settings, `${action.verb} ${flags}${digest} in ${destination}${slash} `);
  if (await useCache(step, state, createdBy, state.settings)) return;
  await withLayer(step, context, state, createdBy, state.settings, signal, async (merged, lowerDirs) => {
    const owner = await ownerOf(action.chown, lowerDirs);
    const isFolder = asksForFolder(action.destination) || isMany || (await isFolderIn(merged, destination));
    for (const source of sources) {
      const target = { root: merged, path: destination, isFolder };
      if (action.verb === 'ADD' && !source.isFolder && !source.isRemote && (await isArchive(source.file))) {
        const into = destination.slice(1);
        await unpackArchive(step.images.program, createReadStream(source.file), { root: merged, into }, signal);
      } else await place(step, context, source, target, { owner, ...(mode === undefined ? {} : { mode }) }, signal);
    }
  });
}

/** Sets the folder, and makes it where it is missing. */
export async function workdirStep(
  step: StepContext,
  context: CopyContext,
  state: StageState,
  changed: { readonly settings: ImageSettings; readonly said: string },
  signal: AbortSignal,
): Promise<void> {
  const createdBy = historyText(state.settings, ` ${changed.said}`);
  if (await useCache(step, state, createdBy, changed.settings)) return;
  const folder = changed.settings.WorkingDir ?? '/';
  await withLayer(step, context, state, createdBy, changed.settings, signal, async (merged) => {
    const found = await resolveBeneath(merged, folder);
    if (found !== undefined) {
      if ((await stat(found)).isDirectory()) return;
      throw new EngineError('invalid-parameter', `Cannot mkdir: ${folder} is not a directory`);
    }
    await makeFolder(step, context, { root: merged, path: folder }, { uid: 0, gid: 0 }, signal);
  });
}

/** What `fill` puts into the image's root becomes the step's layer. */
async function withLayer(
  step: StepContext,
  context: CopyContext,
  state: StageState,
  createdBy: string,
  settings: ImageSettings,
  signal: AbortSignal,
  fill: (merged: string, lowerDirs: readonly string[]) => Promise<void>,
): Promise<void> {
  const [upperDir, workDir] = [await context.folder.make('upper'), await context.folder.make('work')];
  const layers = (state.image?.layers ?? []).map(({ diffId }) => diffId);
  const lowerDirs = await step.images.snapshotter.layerFolders(layers);
  {
    await using merged = await mountMerged(context.parts.config, lowerDirs, { upperDir, workDir });
    await fill(merged.folder, lowerDirs);
  }
  const source = { source: upperDir, overlay: true, ...(step.epoch === undefined ? {} : { maxTime: step.epoch }) };
  using made = await makeLayer(step.images, source, signal);
  await addStep(step, state, createdBy, settings, made.layer);
}

async function place(
  step: StepContext,
  context: CopyContext,
  source: CopySource,
  target: Target,
  set: { readonly owner: { uid: number; gid: number }; readonly mode?: number },
  signal: AbortSignal,
): Promise<void> {
  const from = { source: source.file, ...set };
  const job = { root: target.root, plain: true };
  const { program } = step.images;
  if (source.isFolder) {
    const existing = await resolveBeneath(target.root, target.path);
    if (existing === undefined) await makeFolder(step, context, target, set.owner, signal);
    else if (!(await stat(existing)).isDirectory()) {
      throw new EngineError('invalid-parameter', `cannot copy to non-directory: ${target.path}`);
    }
    // The folder itself is the image's; what is in it comes from the source.
    await program.packLayer(from, { ...job, into: target.path.slice(1) }, signal);
    return;
  }
  const file = target.isFolder ? path.join(target.path, source.name) : target.path;
  if (source.name === '' && target.isFolder) {
    throw new EngineError('invalid-parameter', `cannot determine filename for source ${source.file}`);
  }
  if (await isFolderIn(target.root, file)) {
    throw new EngineError('invalid-parameter', `cannot overwrite directory with a file: ${file}`);
  }
  // As Docker's classic builder does: a link at the destination stays, and what it leads to is written.
  const through = await resolveBeneath(target.root, file);
  const as = through === undefined ? file.slice(1) : path.relative(target.root, through);
  await program.packLayer({ ...from, as }, job, signal);
}

async function makeFolder(
  step: StepContext,
  context: CopyContext,
  target: Pick<Target, 'root' | 'path'>,
  owner: { uid: number; gid: number },
  signal: AbortSignal,
): Promise<void> {
  const source = await context.folder.make('empty');
  const job = { root: target.root, plain: true };
  await step.images.program.packLayer({ source, as: target.path.slice(1), owner }, job, signal);
}

function asksForFolder(destination: string): boolean {
  return /(?:\/|^\.{1,2}|\/\.{1,2})$/.test(destination);
}

async function isFolderIn(root: string, inside: string): Promise<boolean> {
  const found = await resolveBeneath(root, inside);
  return found !== undefined && (await stat(found)).isDirectory();
}

function parseMode(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new EngineError(
    'invalid-parameter',
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
  );
}

/** `user`, `user:group`, by the image's own files; one alone is both. */
async function ownerOf(chown: string, lowerDirs: readonly string[]): Promise<{ uid: number; gid: number }> {
  if (chown === '') return { uid: 0, gid: 0 };
  const [user = '', group = user] = chown.split(':');
  const [top, ...below] = lowerDirs;
  const { uid, gid } = await resolveUser({ upperDir: top ?? '/nonexistent', lowerDirs: below }, `${user}:${group}`, []);
  return { uid, gid };
}
