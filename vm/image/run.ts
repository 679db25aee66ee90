/**
 * Boots the built image for developers and tests, under QEMU without hardware virtualisation:
 *
 *   npx tsx vm/image/run.ts payload FOLDER [--deadline SECONDS] [--memory MIB] [--cpus N]
 *     runs FOLDER/run.sh in the guest as root in the agent's place; exits with its exit code
 *   npx tsx vm/image/run.ts agent [--payload FOLDER] [--ssh-port N]
 *     boots with the agent and prints how to reach it, until Ctrl-C; FOLDER/agent replaces /usr/lib/wherry
 *
 * Options of both: --arch amd64|arm64, --image FOLDER (default dist/guest/<arch>), --append WORDS (kernel arguments).
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type MachineOptions, runMachine } from './qemu.ts';
import type { Arch } from './recipe.ts';
import { makeSeed } from './seed.ts';
import { ImageError } from './steps.ts';

const dataDiskBytes = 10 * 1024 ** 3;

/** Exit code when the guest did not end in time, or ended without saying how. */
export const noAnswerCode = 125;

/** What both commands share; see the file's head. */
interface RunArgs {
  readonly arch: Arch;
  readonly image: string;
  readonly append: readonly string[];
  readonly memoryMib: number;
  readonly cpus: number;
  readonly deadlineMs: number;
  readonly sshPort: number | undefined;
  readonly payload: string | undefined;
}

/** Runs a payload folder's run.sh in the guest; resolves with its exit code, or {@link noAnswerCode}. */
export async function runPayload(
  args: RunArgs,
  onConsole: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<number> {
  if (args.payload === undefined || !existsSync(path.join(args.payload, 'run.sh'))) {
    throw new ImageError(`${args.payload ?? 'payload'}: has no run.sh`, 'name a folder that holds run.sh');
  }
  const seed = await makeSeed({ hostname: 'wherry', clockMs: Date.now() });
  const deadline = AbortSignal.timeout(args.deadlineMs);
  const exit = findExitCode();
  await runMachine({
    ...machine(args),
    args: { payload: 'run', extra: args.append },
    seed: seed.entries,
    payloadFolder: args.payload,
    onConsole: (chunk) => {
      exit.push(chunk);
      onConsole(chunk);
    },
    signal: AbortSignal.any([deadline, signal]),
  });
  if (deadline.aborted) process.stderr.write(`\n✗ the guest did not end within ${args.deadlineMs / 1000} s\n`);
  return exit.code() ?? noAnswerCode;
}

/** Boots with the agent until `signal` aborts. */
export async function runAgent(args: RunArgs, onConsole: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
  const seed = await makeSeed({ hostname: 'wherry', clockMs: Date.now() });
  const sshPort = args.sshPort ?? (await freePort());
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-run-key-'));
  try {
    const key = path.join(folder, 'id_ed25519');
    await writeFile(key, seed.clientKey, { mode: 0o600 });
    process.stdout.write(`wherry-run: ssh-port=${sshPort} key=${key}\n`);
    await runMachine({
      ...machine(args),
      args: { dev: args.payload !== undefined, extra: args.append },
      seed: seed.entries,
      ...(args.payload === undefined ? {} : { payloadFolder: args.payload }),
      sshPort,
      onConsole,
      signal,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function machine(args: RunArgs): Pick<MachineOptions, 'arch' | 'imageFolder' | 'memoryMib' | 'cpus' | 'dataDiskBytes'> {
  const { arch, image, memoryMib, cpus } = args;
  if (!existsSync(path.join(image, 'manifest.json'))) {
    throw new ImageError(`${image}: holds no guest image`, 'build it: npm run image');
  }
  return { arch, imageFolder: image, memoryMib, cpus, dataDiskBytes };
}

/** Watches a console for the line in which init reports how the payload ended. */
export function findExitCode(): { push(chunk: Buffer): void; code(): number | undefined } {
  let tail = '';
  let found: number | undefined;
  return {
    push(chunk) {
      tail = (tail + chunk.toString('latin1')).slice(-65536);
      const match = /^wherry-payload-exit: (\d+)\r?$/m.exec(tail);
      if (match !== null) found = Number(match[1]);
    },
    code: () => found,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

function parse(argv: readonly string[]): { command: string; args: RunArgs } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      arch: { type: 'string', default: process.arch === 'arm64' ? 'arm64' : 'amd64' },
      image: { type: 'string' },
      append: { type: 'string', default: '' },
      memory: { type: 'string', default: '1024' },
      cpus: { type: 'string', default: '2' },
      deadline: { type: 'string', default: '240' },
      payload: { type: 'string' },
      'ssh-port': { type: 'string' },
    },
  });
  const arch: Arch = values.arch === 'arm64' ? 'arm64' : 'amd64';
  const root = path.resolve(import.meta.dirname, '..', '..');
  const [command = '', folder] = positionals;
  const payload = values.payload ?? folder;
  return {
    command,
    args: {
      arch,
      image: path.resolve(values.image ?? path.join(root, 'dist', 'guest', arch)),
      append: values.append.split(' ').filter(Boolean),
      memoryMib: Number(values.memory),
      cpus: Number(values.cpus),
      deadlineMs: Number(values.deadline) * 1000,
      sshPort: values['ssh-port'] === undefined ? undefined : Number(values['ssh-port']),
      payload: payload === undefined ? undefined : path.resolve(payload),
    },
  };
}

async function main(): Promise<void> {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
  const onConsole = (chunk: Buffer): void => void process.stdout.write(chunk);
  try {
    const { command, args } = parse(process.argv.slice(2));
    if (command === 'payload') process.exitCode = await runPayload(args, onConsole, abort.signal);
    else if (command === 'agent') await runAgent(args, onConsole, abort.signal);
    else throw new ImageError(`'${command}': is no command`, 'payload FOLDER, or agent');
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    process.stderr.write(`✗ ${error.message}\n${error.hint === undefined ? '' : `  What to do: ${error.hint}\n`}`);
    process.exitCode = 2;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
