/** `docker build`, the classic builder: context, Dockerfile, stage after stage, names. */
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import { BuildArgs } from '../build/build-args.ts';
import { parseDockerfile } from '../build/dockerfile.ts';
import { expand } from '../build/expansion.ts';
import type { Instruction } from '../build/instruction.ts';
import { readStages } from '../build/stages.ts';
import type { Plan, Stage } from '../build/stages.ts';
import { familiarString, parseReference, shortId, withDefaultTag } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import type { KnownImage } from '../state/images.ts';
import { bringContext } from './build-context.ts';
import type { BuildContext } from './build-context.ts';
import { openBuildFolder } from './build-folder.ts';
import type { BuildFolder } from './build-folder.ts';
import type { BuildOutput, BuildRequest } from './build-request.ts';
import { dropIgnored } from './build-sources.ts';
import { runStage } from './build-stage.ts';
import type { StageContext } from './build-stage.ts';
import { StepFailed } from './build-run.ts';
import { findImage, nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';
import type { Parts } from './parts.ts';
import { resolveBeneath } from './resolve-beneath.ts';

const maxDockerfileBytes = 4 * 1024 * 1024;

/**
 * Says nothing before the context has come and the Dockerfile is known to be good, so that faults in them can still be
 * answered with a status. Leaves nothing but images. Resolves with the image's id.
 */
export async function buildImage(
  parts: Parts,
  images: ImageParts,
  request: BuildRequest,
  context: BuildContext,
  output: BuildOutput,
  signal: AbortSignal,
): Promise<string> {
  const names = request.names.map(parseName);
  await using folder = await openBuildFolder(parts.config, images.program);
  const name = await bringContext(images, folder, context, request.dockerfile, signal);
  const dockerfile = parseDockerfile(await readDockerfile(folder, name));
  const plan = withLabels(upTo(readStages(dockerfile), request.target), request.labels);
  await dropIgnored(folder.context, path.normalize(name));
  const say = (stream: string): void => output.tell({ stream });
  for (const warning of dockerfile.warnings) say(`${warning}\n`);
  const leases: Disposable[] = [];
  try {
    const image = await runStages(plan, {
      parts,
      folder,
      request,
      escape: dockerfile.escape,
      report: output.tell,
      args: new BuildArgs(request.buildArgs),
      step: {
        images,
        noCache: request.noCache,
        cacheFrom: request.cacheFrom.flatMap((name) => findOrNothing(images, name) ?? []),
        epoch: new BuildArgs(request.buildArgs).sourceDateEpoch(),
        say,
        taken: output.taken,
        keep: (kept) => leases.push(images.leases.hold([kept.id, ...kept.layers.map(({ diffId }) => diffId)])),
      },
      signal,
    });
    say(`Successfully built ${shortId(image.id)}\n`);
    for (const reference of names) {
      images.records.setName({ ...nameKey(reference), imageId: image.id, namedAtMs: images.nowMs() });
      images.onEvent({ action: 'tag', id: image.id, name: familiarString(reference) });
      say(`Successfully tagged ${familiarString(reference)}\n`);
    }
    return image.id;
  } finally {
    for (const lease of leases) lease[Symbol.dispose]();
  }
}

/** With which a failed RUN ended. */
export function exitCodeOf(error: unknown): number | undefined {
  return error instanceof StepFailed ? error.exitCode : undefined;
}

function parseName(text: string): ImageReference {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new EngineError('invalid-parameter', 'refusing to create a tag with a digest reference');
  }
  return withDefaultTag(reference);
}

async function readDockerfile({ context }: BuildFolder, name: string): Promise<string> {
  const lost = new EngineError('invalid-parameter', `Cannot locate specified Dockerfile: ${name}`);
  const parts = path.normalize(name).split('/');
  if (parts.includes('..')) {
    throw new EngineError('invalid-parameter', `Forbidden path outside the build context: ${name} ()`);
  }
  // Docker looks for the small letters too.
  const file =
    (await resolveBeneath(context, name)) ??
    (name === 'Dockerfile' ? await resolveBeneath(context, 'dockerfile') : undefined);
  const stats = file === undefined ? undefined : await lstat(file);
  if (file === undefined || stats?.isFile() !== true) throw lost;
  if (stats.size === 0) throw new EngineError('invalid-parameter', `the Dockerfile (${name}) cannot be empty`);
  if (stats.size > maxDockerfileBytes) throw new EngineError('too-large', `the Dockerfile (${name}) is too large`);
  return readFile(file, 'utf8');
}

/** The stages up to the target. */
function upTo(plan: Plan, target: string): Plan {
  if (target === '') return plan;
  const named = plan.stages.findIndex(({ from }) => from.name === target.toLowerCase());
  const index = named >= 0 ? named : /^\d+$/.test(target) ? Number(target) : -1;
  if (plan.stages[index] === undefined) {
    throw new EngineError('invalid-parameter', `target stage "${target}" could not be found`);
  }
  return { ...plan, stages: plan.stages.slice(0, index + 1) };
}

/** `--label` is a LABEL at the end. */
function withLabels(plan: Plan, labels: Readonly<Record<string, string>>): Plan {
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value }));
  const last = plan.stages.at(-1);
  if (pairs.length === 0 || last === undefined) return plan;
  const quote = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
  const label: Instruction = {
    kind: 'label',
    pairs: pairs.map(({ name, value }) => ({ name: quote(name), value: quote(value) })),
    original: `LABEL ${pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`,
    line: 0,
  };
  return { ...plan, stages: [...plan.stages.slice(0, -1), { ...last, steps: [...last.steps, label] }] };
}

async function runStages(plan: Plan, context: Omit<StageContext, 'stages' | 'announce'>): Promise<KnownImage> {
  const { args, step, escape } = context;
  const total = plan.globalArgs.length + plan.stages.reduce((sum, { steps }) => sum + 1 + steps.length, 0);
  let count = 0;
  const announce = (original: string): void => {
    count += 1;
    step.say(`Step ${count}/${total} : ${original}\n`);
  };
  for (const instruction of plan.globalArgs) {
    announce(instruction.original);
    for (const { name, value } of instruction.args) {
      args.declareGlobal(name, value === undefined ? undefined : expand(value, args.globalVariables(), escape));
    }
  }
  const done: { readonly stage: Stage; readonly image: KnownImage | undefined }[] = [];
  let last: KnownImage | undefined;
  for (const stage of plan.stages) {
    last = await runStage(stage, { ...context, stages: done, announce });
    done.push({ stage, image: last });
    if (last !== undefined) context.report({ aux: { ID: last.id } });
  }
  const unused = args.unused();
  if (unused.length > 0) step.say(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`);
  if (last === undefined) {
    throw new EngineError('invalid-parameter', 'No image was generated. Is your Dockerfile empty?');
  }
  return last;
}

function findOrNothing(images: ImageParts, name: string): KnownImage | undefined {
  try {
    return findImage(images.records, name).image;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not-found') return undefined;
    throw error;
  }
}
