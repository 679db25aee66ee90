/**
 * `npx tsx test/differential/run.ts [PATTERN]`: see README.md. Exits with 1 when there is a difference that is not known,
 * or a known one no more, or a command that was not reached. A pattern limits the run to the sections it fits, by name or by a line.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { runPayload } from '../../vm/image/run.ts';
import { buildPeers } from '../bench/peers.ts';
import { lineReader } from '../helpers/lines.ts';
import { startRegistry } from '../helpers/registry.ts';
import { sections } from './guest/sections.ts';

interface Compared {
  readonly section: string;
  readonly line: string;
  readonly ours: string;
  readonly theirs: string;
  readonly known?: string;
}

const root = path.resolve(import.meta.dirname, '..', '..');
const arch = 'amd64';
const deadlineMs = 2_400_000;
const compared: Compared[] = [];
const pattern = new RegExp(process.argv[2] ?? '');
const wanted = Object.entries(sections).filter(([name, lines]) => [name, ...lines].some((text) => pattern.test(text)));

await using registry = await startRegistry({ 'busybox:latest': 'busybox' });
const payload = await mkdtemp(path.join(os.tmpdir(), 'wherry-differential-'));
try {
  await fillPayload(registry.port);
  await runPayload(
    {
      arch,
      image: path.join(root, 'dist/guest', arch),
      append: [],
      memoryMib: 4096,
      cpus: 2,
      deadlineMs,
      sshPort: undefined,
      payload,
    },
    lineReader((line) => {
      const found = /DIFF (\{.*\})/.exec(line)?.[1];
      if (found !== undefined) take(JSON.parse(found) as Compared);
      else if (line !== '') process.stderr.write(`${line}\n`);
    }),
    AbortSignal.timeout(deadlineMs),
  );
} finally {
  await rm(payload, { recursive: true, force: true });
}
await tell();

/** Differences are shown as they come: a run is long. */
function take(one: Compared): void {
  compared.push(one);
  if (one.ours === one.theirs) return;
  process.stdout.write(`[${one.section}] ${one.known === undefined ? '' : `known (${one.known}): `}${show(one)}\n`);
}

function show({ line, ours, theirs }: Compared): string {
  return `$ ${line}\n--- wherry\n${ours}\n--- docker.io\n${theirs}\n`;
}

async function fillPayload(registryPort: number): Promise<void> {
  const peers = path.join(root, 'build/bench/peers');
  await buildPeers(arch, path.join(root, 'build/bench'), peers);
  await cp(peers, path.join(payload, 'peers'), { recursive: true, verbatimSymlinks: true });
  await mkdir(path.join(payload, 'peers/payload'));
  await cp(process.env['DOCKER_CLI'] ?? '/usr/local/bin/docker', path.join(payload, 'peers/payload/docker'));
  await cp(path.join(import.meta.dirname, '../bench/guest/run.sh'), path.join(payload, 'run.sh'));
  await writeFile(
    path.join(payload, 'settings'),
    `BENCH_REGISTRY_PORT=${registryPort}\nBENCH_ONLY=${wanted.map(([name]) => name).join(',')}\n`,
  );
  await build({
    entryPoints: [path.join(import.meta.dirname, 'guest/main.ts')],
    outfile: path.join(payload, 'bench.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
  });
}

async function tell(): Promise<void> {
  const differs = ({ ours, theirs }: Compared): boolean => ours !== theirs;
  const unknown = compared.filter((one) => differs(one) && one.known === undefined);
  const gone = compared.filter((one) => !differs(one) && one.known !== undefined);
  const known = compared.filter((one) => differs(one) && one.known !== undefined);
  const missed = wanted.reduce((count, [, lines]) => count + lines.length, 0) - compared.length;
  await mkdir(path.join(root, 'build'), { recursive: true });
  await writeFile(path.join(root, 'build/differential.txt'), compared.map(show).join('\n'));
  for (const { line } of gone) process.stdout.write(`no longer different, take it off the list: ${line}\n`);
  const same = compared.length - unknown.length - known.length;
  process.stdout.write(
    `${compared.length} commands: ${same} the same, ${known.length} known differences, ${unknown.length} unknown; ${missed} not reached\n`,
  );
  process.exitCode = compared.length === 0 || unknown.length + gone.length + missed > 0 ? 1 : 0;
}
