/** Containers for the runtime's tests in the guest: a busybox layer, a runtime of their own, and checks that nothing is left. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultCapabilities } from '../../vm/agent/runtime/capabilities.ts';
import { createMonitorRuntime } from '../../vm/agent/runtime/monitor-runtime.ts';
import type { LaunchRequest, OciConfig, OciProcess, RunningContainer } from '../../vm/agent/runtime/runtime.ts';
import { createSeccompCompiler } from '../../vm/agent/runtime/seccomp.ts';
import { defaultSeccompProfile } from '../../vm/agent/runtime/seccomp-profile.ts';
import { guestPaths } from '../../vm/contract/wherry-api.ts';

const programs = process.env.WHERRY_PROGRAMS ?? guestPaths.programs;
const folder = path.join(guestPaths.data, 'test-runtime');
const runDir = '/run/wherry-test-runtime';
export const cgroupRoot = '/sys/fs/cgroup';
export const never = new AbortController().signal;
export const stallMs = 1500;

export const runtime = createMonitorRuntime({
  programs,
  runDir,
  cgroupRoot,
  compileSeccomp: createSeccompCompiler({ program: `${programs}/seccomp`, cacheDir: `${folder}/seccomp` }),
  stallMs,
});

const applets =
  'sh true false id cat echo sleep mount ls ps head dd wc yes stty tty kill mkdir touch chmod rm env hostname grep ' +
  'umask pwd mknod unshare seq tr stat ulimit sync printf test umount readlink tail date';

/** A folder with busybox and what it needs, as a layer; made once. */
export const layer = makeLayer();

function makeLayer(): string {
  const root = path.join(folder, 'layer');
  mountData();
  fs.mkdirSync(path.join(root, 'bin'), { recursive: true });
  for (const name of ['etc', 'proc', 'sys', 'dev', 'root', 'tmp'])
    fs.mkdirSync(path.join(root, name), { recursive: true });
  fs.chmodSync(path.join(root, 'tmp'), 0o1777);
  fs.copyFileSync('/bin/busybox', path.join(root, 'bin/busybox'));
  for (const name of applets.split(' ')) {
    fs.rmSync(path.join(root, 'bin', name), { force: true });
    fs.symlinkSync('busybox', path.join(root, 'bin', name));
  }
  fs.writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/tmp:/bin/sh\n');
  fs.writeFileSync(path.join(root, 'bin/no-interpreter'), '#!/no/such/interpreter\n', { mode: 0o755 });
  fs.writeFileSync(path.join(root, 'bin/not-a-program'), 'neither script nor ELF', { mode: 0o755 });
  return root;
}

/** Without an agent (a payload run) the data disk is still empty. */
function mountData(): void {
  const isMounted = fs.readFileSync('/proc/mounts', 'utf8').includes(` ${guestPaths.data} `);
  if (isMounted) return;
  execFileSync('mkfs.xfs', ['-q', '-f', guestPaths.dataDisk]);
  execFileSync('mount', ['-t', 'xfs', '-o', 'prjquota', guestPaths.dataDisk, guestPaths.data]);
}

export interface LaunchOptions {
  readonly process?: Partial<OciProcess>;
  readonly config?: (config: OciConfig) => OciConfig;
  readonly request?: Partial<LaunchRequest>;
  readonly id?: string;
  /** Topmost first; only the busybox layer when not given. */
  readonly lowerDirs?: readonly string[];
}

export function processOf(args: readonly string[], changes: Partial<OciProcess> = {}): OciProcess {
  return {
    terminal: false,
    args,
    env: ['PATH=/bin', 'HOME=/root'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    capabilities: {
      bounding: defaultCapabilities,
      effective: defaultCapabilities,
      permitted: defaultCapabilities,
      inheritable: [],
      ambient: [],
    },
    noNewPrivileges: false,
    rlimits: [],
    ...changes,
  };
}

const system = ['nosuid', 'noexec', 'nodev'];

function configOf(process: OciProcess): OciConfig {
  return {
    ociVersion: '1.2.0',
    hostname: 'box',
    process,
    root: { path: 'rootfs', readonly: false },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: system },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: system },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...system, 'mode=1777', 'size=67108864'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...system, 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...system, 'ro'] },
    ],
    linux: {
      namespaces: (['pid', 'mount', 'network', 'uts', 'ipc', 'cgroup', 'user'] as const).map((type) => ({ type })),
      resources: {
        devices: [
          { allow: false },
          { allow: true, type: 'c', access: 'm' },
          { allow: true, type: 'b', access: 'm' },
          ...[3, 5, 7, 8, 9].map((minor) => ({ allow: true, type: 'c' as const, major: 1, minor })),
          { allow: true, type: 'c', major: 5, minor: 0 },
          { allow: true, type: 'c', major: 5, minor: 2 },
          { allow: true, type: 'c', major: 136 },
        ],
      },
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/acpi', '/proc/scsi', '/sys/firmware', '/proc/not-there'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      sysctl: {},
      seccomp: defaultSeccompProfile(defaultCapabilities),
      devices: [],
    },
  };
}

let nextSlot = 0;

export function requestOf(args: readonly string[], options: LaunchOptions = {}): LaunchRequest {
  const id = options.id ?? randomUUID();
  const own = path.join(folder, id);
  const base = options.request?.idRange?.base ?? 200_000 + 65_536 * nextSlot++;
  fs.mkdirSync(path.join(own, 'upper'), { recursive: true });
  fs.mkdirSync(path.join(own, 'work'), { recursive: true });
  fs.chownSync(path.join(own, 'upper'), base, base);
  const config = configOf(processOf(args, options.process));
  return {
    id,
    config: options.config?.(config) ?? config,
    rootfs: {
      lowerDirs: options.lowerDirs ?? [layer],
      upperDir: path.join(own, 'upper'),
      workDir: path.join(own, 'work'),
    },
    idRange: { base, size: 65_536 },
    cgroup: `wherry/${id}`,
    runDir: path.join(runDir, 'c', id),
    exitRecordPath: path.join(own, 'exit.json'),
    log: { path: path.join(own, 'container.log'), maxSizeBytes: 0, maxFiles: 1 },
    openStdin: false,
    stdinOnce: false,
    ...options.request,
  };
}

export function removeFiles(request: LaunchRequest): void {
  fs.rmSync(path.dirname(request.exitRecordPath), { recursive: true, force: true });
  fs.rmSync(request.runDir, { recursive: true, force: true });
}

/** Created, and killed and removed with its files after the test, which then checks that nothing of it is left. */
export async function create(
  t: TestContext,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<{ container: RunningContainer; request: LaunchRequest }> {
  const request = requestOf(args, options);
  const creating = runtime.create(request, never);
  t.after(async () => {
    const created = await creating.catch(() => undefined);
    await created?.kill(9).catch(() => undefined);
    await created?.exited;
    created?.detach();
    await assertNothingLeft(request);
    removeFiles(request);
  });
  const container = await creating;
  return { container, request };
}

export async function start(t: TestContext, args: readonly string[], options: LaunchOptions = {}) {
  const created = await create(t, args, options);
  await created.container.go();
  return created;
}

/** Runs to the end; its exit record and what it wrote, by its log. */
export async function run(t: TestContext, args: readonly string[], options: LaunchOptions = {}) {
  const { container, request } = await start(t, args, options);
  const exit = await container.exited;
  return { ...exit, output: logText(request), request };
}

export interface LogEntry {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

export function readLog(file: string): LogEntry[] {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogEntry);
}

export function logText(request: LaunchRequest): string {
  assert.ok(request.log);
  return readLog(request.log.path)
    .map((entry) => entry.log)
    .join('');
}

/** Takes Docker's frames apart: stream number, three zeroes, big-endian size. */
export function demultiplex(data: Buffer): { stdout: string; stderr: string } {
  const parts: { 1: Buffer[]; 2: Buffer[] } = { 1: [], 2: [] };
  for (let at = 0; at < data.length;) {
    const number = data.readUInt8(at);
    assert.ok(number === 1 || number === 2, `frame of stream ${number} at ${at}`);
    const size = data.readUInt32BE(at + 4);
    parts[number].push(data.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return { stdout: Buffer.concat(parts[1]).toString(), stderr: Buffer.concat(parts[2]).toString() };
}

/** All of a stream to its end. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await check()) return;
    await sleep(25);
  }
  assert.fail(`never came: ${what}`);
}

/** No cgroup, no socket, no mount, no process of the container. */
export async function assertNothingLeft(request: LaunchRequest): Promise<void> {
  await until('the end of the monitor', () => monitors(request.id).length === 0);
  assert.equal(fs.existsSync(path.join(cgroupRoot, request.cgroup)), false, 'its cgroup is left');
  assert.equal(fs.existsSync(path.join(request.runDir, 'monitor.sock')), false, 'its socket is left');
  const mounts = fs.readFileSync('/proc/mounts', 'utf8');
  assert.equal(mounts.includes(request.id), false, 'a mount of it is left in the guest');
}

/** Pids of the container's monitor. */
export function monitors(id: string): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === `mon:${id.slice(0, 11)}`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Ends the tests' own spawner. */
export function stopSpawner(): void {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${runDir}/spawner.sock`)) process.kill(Number(pid));
    } catch {
      continue; /* it ended meanwhile */
    }
  }
}
