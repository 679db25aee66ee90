/** Who holds a port of this machine, where it can be known: for the message, never for a decision. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

const lookupMs = 2000;

/** Undefined when nobody can be named: the process is another user's, or the platform's tool is absent. */
export async function findHolder(
  protocol: 'tcp' | 'udp',
  port: number,
  platform: NodeJS.Platform = process.platform,
): Promise<PortHolder | undefined> {
  try {
    switch (platform) {
      case 'linux':
        return await holderFromProc(protocol, port);
      case 'darwin':
        return parseLsof(await output('lsof', lsofArguments(protocol, port)));
      case 'win32':
        return parsePowerShell(
          await output('powershell.exe', ['-NoProfile', '-Command', holderScript(protocol, port)]),
        );
      default:
        return undefined;
    }
  } catch {
    // lsof and PowerShell fail when there is nothing to show; a nameless holder only makes the message shorter.
    return undefined;
  }
}

export function describeHolder(holder: PortHolder | undefined): string {
  return holder === undefined ? 'by another program' : `by ${holder.name}, process ${holder.pid}`;
}

async function holderFromProc(protocol: 'tcp' | 'udp', port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(
    [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => socketInodes(table, protocol, port)));
  if (inodes.size === 0) return undefined;
  const deadline = Date.now() + lookupMs;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Date.now() > deadline) return undefined;
    if (await hasSocket(pid, inodes)) {
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      return { pid: Number(pid), name };
    }
  }
  return undefined;
}

/** proc(5), /proc/net/tcp: local address is hex `ADDRESS:PORT`; state 0A listens; a bound UDP socket is 07. */
export function socketInodes(table: string, protocol: 'tcp' | 'udp', port: number): string[] {
  const wantedState = protocol === 'tcp' ? '0A' : '07';
  const wantedPort = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    if (state !== wantedState || local?.endsWith(`:${wantedPort}`) !== true || inode === undefined) return [];
    return [inode];
  });
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  // Other users' processes cannot be looked into.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

function lsofArguments(protocol: 'tcp' | 'udp', port: number): string[] {
  const which = protocol === 'tcp' ? [`-iTCP:${port}`, '-sTCP:LISTEN'] : [`-iUDP:${port}`];
  return ['-nP', ...which, '-Fpc'];
}

/** `-F` output: one field a line, `p` the process id and `c` its command. */
export function parseLsof(text: string): PortHolder | undefined {
  const pid = /^p(\d+)$/m.exec(text)?.[1];
  const name = /^c(.+)$/m.exec(text)?.[1];
  return pid === undefined || name === undefined ? undefined : { pid: Number(pid), name };
}

function holderScript(protocol: 'tcp' | 'udp', port: number): string {
  const find =
    protocol === 'tcp'
      ? `Get-NetTCPConnection -LocalPort ${port} -State Listen -ErrorAction Stop`
      : `Get-NetUDPEndpoint -LocalPort ${port} -ErrorAction Stop`;
  return `$id = (${find} | Select-Object -First 1).OwningProcess; "$id $((Get-Process -Id $id).ProcessName)"`;
}

export function parsePowerShell(text: string): PortHolder | undefined {
  const [, pid, name] = /^(\d+) (.+)$/m.exec(text.trim()) ?? [];
  return pid === undefined || name === undefined ? undefined : { pid: Number(pid), name: name.trim() };
}

async function output(command: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(command, args, { timeout: lookupMs, windowsHide: true })).stdout;
}
