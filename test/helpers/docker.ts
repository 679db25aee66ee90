/**
 * The VM that the suites of one process share, with a registry beside it: started for the first of them, ended after the
 * last test. A file that is run alone gets one of its own; `test/docker/run.ts` runs every file of a folder in one.
 */
import path from 'node:path';
import { after, afterEach, before, describe } from 'node:test';
import Dockerode from 'dockerode';
import { Cleanup } from '../../src-main/cleanup.ts';
import type { FixtureName } from '../fixtures/images.ts';
import { traceGuest, type GuestTrace } from './guest-trace.ts';
import { startRegistry, type Registry } from './registry.ts';
import { ok, WherryHome, type Ended } from './wherry-cli.ts';

// Set before the first test of a suite; whoever imports them sees the change.
export let home: WherryHome;
export let registry: Registry;
/** dockerode on the same socket. */
export let engine: Dockerode;
/** Reference of the busybox fixture, which is pulled. */
export let busybox: string;

/** What there was in the guest before the first test. */
export let atStart: GuestTrace;
/** Ids. */
export let imagesAtStart: ReadonlySet<string>;

let starting: Promise<void> | undefined;
let running: Cleanup | undefined;
const pushed = new Map<FixtureName, Promise<void>>();

after(() => running?.[Symbol.asyncDispose]());

export interface SuiteOptions {
  /** Containers, volumes and networks stay from one test to the next; they go with the suite. */
  readonly keeps?: boolean;
}

/** A suite in the shared VM. After each of its tests, what the test left is removed. */
export function dockerSuite(name: string, define: () => void, options: SuiteOptions = {}): void {
  describe(name, () => {
    before(() => (starting ??= start()));
    (options.keeps === true ? after : afterEach)(removeAll);
    define();
  });
}

async function start(): Promise<void> {
  await using cleanup = new Cleanup();
  registry = await startRegistry();
  cleanup.add('close the registry', () => registry[Symbol.asyncDispose]());
  home = await WherryHome.create();
  cleanup.add('end the VM', () => home[Symbol.asyncDispose]());
  const [reference] = await Promise.all([imageOf('busybox'), home.wherry(['up']).then(ok)]);
  engine = new Dockerode({ socketPath: path.join(home.path, 'docker.sock') });
  busybox = reference;
  await docker('pull', busybox);
  imagesAtStart = new Set((await engine.listImages()).map(({ Id }) => Id));
  atStart = await traceGuest(home);
  running = cleanup.release();
}

/** The stock docker CLI: resolves with the trimmed output, and fails the test when the command failed. */
export async function docker(...args: string[]): Promise<string> {
  return ok(await home.docker(args));
}

/** What a person types to get this fixture: `localhost:PORT/name:latest`. It is in the registry from the first call on. */
export async function imageOf(fixture: FixtureName): Promise<string> {
  const name = `${fixture}:latest`;
  if (!pushed.has(fixture)) pushed.set(fixture, registry.push(fixture, name));
  await pushed.get(fixture);
  return `${registry.host}/${name}`;
}

/** Runs a shell script in the guest itself, as root. */
export function inGuest(script: string): Promise<Ended> {
  return home.wherry(['ssh', '--', 'sh', '-c', script]);
}

/** Kills the agent; its init starts another at once. */
export async function killAgent(): Promise<void> {
  await inGuest('kill -9 $(cat /sys/fs/cgroup/wherry-agent/cgroup.procs)'); // The session ends with it.
}

/** Removes every container, volume and network that somebody made. */
async function removeAll(): Promise<void> {
  const containers = await engine.listContainers({ all: true });
  await Promise.all(
    containers.map(({ Id }) => engine.getContainer(Id).remove({ force: true, v: true }).catch(unlessGone)),
  );
  await engine.pruneVolumes({ filters: { all: ['true'] } });
  await engine.pruneNetworks();
}

/** A container may be removed by whoever made it meanwhile. */
function unlessGone(error: unknown): void {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== 404 && statusCode !== 409) throw error;
}
