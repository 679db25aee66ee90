/** What there is in the guest, kind by kind, so that two moments can be compared. */
import { ok, type WherryHome } from './wherry-cli.ts';

/** Lines, sorted, without what differs by nature (ids, process numbers). */
export type GuestTrace = Readonly<Record<string, readonly string[]>>;

const openFiles = 'open files of the agent';

/** Each prints one line for each thing there is. The shell that asks, and what it starts, is not told. */
const questions: Readonly<Record<string, string>> = {
  processes:
    'for f in /proc/[0-9]*; do s=$(cut -d" " -f6 $f/stat 2>/dev/null); [ -n "$(head -c 1 $f/cmdline)" ] && [ "$s" != "$own" ] && cat $f/comm; done',
  mounts: 'cut -d" " -f5- /proc/1/mountinfo',
  cgroups: 'find /sys/fs/cgroup -type d',
  'network namespaces':
    'for f in /proc/[0-9]*; do [ -n "$(head -c 1 $f/cmdline)" ] && readlink $f/ns/net; done 2>/dev/null | sort -u | wc -l',
  interfaces: 'ls /sys/class/net',
  addresses: 'ip -o addr | tr -s " " | cut -d" " -f2-4',
  routes: 'ip route; ip rule',
  'firewall rules': 'nft list ruleset',
  [openFiles]: 'ls -l /proc/$(head -n 1 /sys/fs/cgroup/wherry-agent/cgroup.procs)/fd | sed "s/.* -> //; s/:\\[.*//"',
  files: 'find /run /tmp /var -xdev ! -path "/var/lib/wherry/*" | grep -v "/run/seed"',
  'data files': 'find /var/lib/wherry -xdev',
};

/** Folders of the engine that are made when first something needs them, and stay. */
const madeOnce = /^\/(run\/wherry\/(c|files|roots|subpaths)|var\/lib\/wherry\/(builds|containers|volumes))$/;

/** Clients keep some connections for the next request: two for each purpose, which are two sockets each, and those of SSH. */
const mostKeptSockets = 16;

const ids = /\b[0-9a-f]{64}\b|(?<=veth)[0-9a-f]+/g;

export async function traceGuest(home: WherryHome): Promise<GuestTrace> {
  const mark = '=====';
  const script = Object.values(questions).map((question) => `echo ${mark}; { ${question}; } 2>/dev/null || true`);
  const asked = ok(
    await home.wherry(['ssh', '--', 'sh', '-c', ['own=$(cut -d" " -f6 /proc/$$/stat)', ...script].join('\n')]),
  );
  const answers = asked.split(`${mark}\n`).slice(1);
  return Object.fromEntries(
    Object.keys(questions).map((name, index) => [
      name,
      (answers[index] ?? '')
        .split('\n')
        .map((line) => line.replace(ids, 'ID').trim())
        .filter((line) => line !== '' && !madeOnce.test(line))
        .sort(),
    ]),
  );
}

/** `processes: + sleep`: what there is more (+) and less (-) after than before. Of open files only what nobody keeps. */
export function compareTraces(before: GuestTrace, after: GuestTrace): string[] {
  return Object.keys(before).flatMap((name) => {
    const [then, now] = [before[name] ?? [], after[name] ?? []];
    const [more, less] = [without(now, then), without(then, now)];
    if (name === openFiles) return isKept(more) ? [] : more.map((line) => `${name}: + ${line}`);
    return [...more.map((line) => `${name}: + ${line}`), ...less.map((line) => `${name}: - ${line}`)];
  });
}

function isKept(more: readonly string[]): boolean {
  return more.length <= mostKeptSockets && more.every((line) => line === 'socket');
}

/** As many of each line as the one has more than the other. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}
