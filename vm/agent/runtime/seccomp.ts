/** Compiles seccomp profiles with the `seccomp` program, each once, and keeps the filters on disk. */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { encodeRecord } from './records.ts';
import { LaunchError, type OciSeccomp } from './runtime.ts';

const tags = { default: 1, architecture: 2, rule: 3 };
/** Changes when the compiler does, so that filters of an older one are not used. */
const compilerVersion = 1;
const instructionBytes = 8;
const eperm = 1;

/**
 * Returns a function that compiles a profile to `struct sock_filter[]`. Filters are kept in `cacheDir` by the profile's
 * hash, so that a start costs no compilation; two asking for the same at once share one.
 */
export function createSeccompCompiler(places: {
  readonly program: string;
  readonly cacheDir: string;
}): (profile: OciSeccomp) => Promise<Buffer> {
  const compiled = new Map<string, Promise<Buffer>>();
  return (profile) => {
    const records = encodeProfile(profile);
    const key = createHash('sha256').update(`${compilerVersion} ${process.arch} `).update(records).digest('hex');
    let filter = compiled.get(key);
    if (filter === undefined) {
      filter = loadOrCompile(path.join(places.cacheDir, `${key}.bpf`), places.program, records);
      compiled.set(key, filter);
      filter.catch(() => compiled.delete(key));
    }
    return filter;
  };
}

async function loadOrCompile(file: string, program: string, records: Buffer): Promise<Buffer> {
  const kept = await readFile(file).catch(() => undefined);
  /* A power cut can leave an empty file behind the rename. */
  if (kept !== undefined && kept.length > 0 && kept.length % instructionBytes === 0) return kept;
  const filter = await runCompiler(program, records);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(temporary, filter);
    await rename(temporary, file);
  } catch {
    /* Not kept: compiled again by the next agent. */
  }
  return filter;
}

async function runCompiler(program: string, records: Buffer): Promise<Buffer> {
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  child.stdin.on('error', () => undefined); /* its exit code says more */
  child.stdin.end(records);
  try {
    const [filter, complaint, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    if (code !== 0) throw new Error(complaint.trim() || `it ended with code ${String(code)}`);
    return filter;
  } catch (error) {
    throw new LaunchError('setup', `compile the seccomp profile: ${(error as Error).message}`, { cause: error });
  }
}

/** The profile as `native/seccomp/seccomp.c` reads it. */
function encodeProfile(profile: OciSeccomp): Buffer {
  return Buffer.concat([
    encodeRecord(tags.default, [profile.defaultErrnoRet ?? eperm], [profile.defaultAction]),
    ...profile.architectures.map((name) => encodeRecord(tags.architecture, [], [name])),
    ...profile.syscalls.flatMap((rule) =>
      alternatives(rule.args ?? []).map((args) =>
        encodeRecord(
          tags.rule,
          [rule.errnoRet ?? eperm, ...args.flatMap(({ index, value, valueTwo = 0 }) => [index, value, valueTwo])],
          [rule.action, ...args.map(({ op }) => op), ...rule.names],
        ),
      ),
    ),
  ]);
}

type Arguments = NonNullable<OciSeccomp['syscalls'][number]['args']>;

/** Conditions on different arguments must all hold; several on one argument are alternatives, as runc reads them. */
function alternatives(args: Arguments): readonly Arguments[] {
  const distinct = new Set(args.map(({ index }) => index)).size === args.length;
  return distinct ? [args] : args.map((arg) => [arg]);
}
