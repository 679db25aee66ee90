/**
 * `npx tsx test/differential/run.ts [PATTERN]`: see README.md. Exits with 1 when there is a difference that is not known,
 * or a known one no more, or a command that was not reached. A pattern limits the run to the sections it fits, by name or by a line.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runWithPeers } from '../bench/peer-run.ts';
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
const deadlineMs = 2_400_000;
const compared: Compared[] = [];
const pattern = new RegExp(process.argv[2] ?? '');
const wanted = Object.entries(sections).filter(([name, lines]) => [name, ...lines].some((text) => pattern.test(text)));

await using registry = await startRegistry({ 'busybox:latest': 'busybox' });
await runWithPeers({
  program: path.join(import.meta.dirname, 'guest/main.ts'),
  settings: { BENCH_REGISTRY_PORT: String(registry.port), BENCH_ONLY: wanted.map(([name]) => name).join(',') },
  deadlineMs,
  onLine: (line) => {
    const found = /DIFF (\{.*\})/.exec(line)?.[1];
    if (found !== undefined) take(JSON.parse(found) as Compared);
    else if (line !== '') process.stderr.write(`${line}\n`);
  },
  fill: async (payload) => {
    await mkdir(path.join(payload, 'peers/payload'));
    await cp(process.env['DOCKER_CLI'] ?? '/usr/local/bin/docker', path.join(payload, 'peers/payload/docker'));
  },
});
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
