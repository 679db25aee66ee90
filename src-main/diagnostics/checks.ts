/** The single checks of the doctor: each tries the real thing and says what to do when it does not work. */
import net from 'node:net';
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { toErrorView } from '../contract/errors.ts';
import type { DoctorCheck } from '../contract/vm.ts';
import type { HomePaths } from '../home.ts';
import { withDeadline } from '../wait.ts';
import type { StageHealth } from '../../vm/contract/wherry-api.ts';

const gibibyte = 1024 ** 3;
const lowSpaceBytes = 5 * gibibyte;
const noSpaceBytes = 1 * gibibyte;

export function ok(name: string, detail: string): DoctorCheck {
  return { name, state: 'ok', detail };
}

export function skipped(name: string, detail: string, remedy?: string): DoctorCheck {
  return { name, state: 'skipped', detail, ...(remedy !== undefined && { remedy }) };
}

export function failed(name: string, error: unknown, remedy: string): DoctorCheck {
  const view = toErrorView(error);
  return { name, state: 'failed', detail: view.message, remedy: view.hint ?? remedy };
}

export async function checkHome(paths: HomePaths): Promise<DoctorCheck> {
  try {
    await mkdir(paths.root, { recursive: true, mode: 0o700 });
    await access(paths.root, constants.R_OK | constants.W_OK | constants.X_OK);
    const { mode } = await stat(paths.root);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      return {
        name: 'home',
        state: 'warning',
        detail: `${paths.root} is open to other users (mode ${(mode & 0o777).toString(8)})`,
        remedy: `Close it with: chmod 700 ${paths.root}`,
      };
    }
    return ok('home', paths.root);
  } catch (error) {
    return failed('home', error, `Make ${paths.root} writable for you, or set WHERRY_HOME to another folder.`);
  }
}

export async function checkSpace(paths: HomePaths): Promise<DoctorCheck> {
  try {
    const space = await statfs(paths.root);
    const free = space.bavail * space.bsize;
    const detail = `${(free / gibibyte).toFixed(1)} GiB free for ${path.basename(paths.vm.dataDisk)}`;
    if (free >= lowSpaceBytes) return ok('space', detail);
    const remedy = 'Free space on this disk, or remove unused images and containers.';
    return { name: 'space', state: free < noSpaceBytes ? 'failed' : 'warning', detail, remedy };
  } catch (error) {
    return failed('space', error, 'Check the disk that holds WHERRY_HOME.');
  }
}

/** What the guest says about one of its stages. */
export function checkGuestStage(name: string, health: StageHealth, good: string): DoctorCheck {
  if (health.state === 'ok') return ok(name, good);
  return {
    name,
    state: health.state === 'starting' ? 'warning' : 'failed',
    detail: health.detail,
    remedy: health.hint ?? (health.state === 'starting' ? 'Wait a little and look again.' : 'Restart the VM.'),
  };
}

/** Speaks HTTP over the socket that docker uses. */
export async function checkLocalSocket(socketPath: string, signal?: AbortSignal): Promise<DoctorCheck> {
  const remedy = 'It is served while Wherry runs; start it with: wherry up';
  try {
    const status = await withDeadline('ping over the local socket', 8000, (inner) => pingSocket(socketPath, inner), {
      signal,
    });
    if (status === 200) return ok('docker socket', `unix://${socketPath}`);
    return { name: 'docker socket', state: 'failed', detail: `${socketPath} answered ${status}`, remedy };
  } catch (error) {
    return failed('docker socket', error, remedy);
  }
}

async function pingSocket(socketPath: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: '/_ping', signal, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
  });
}

/** Whether something listens on a published TCP port; UDP cannot be told apart from silence. */
export async function isListening(hostIp: string, port: number): Promise<boolean> {
  const host = hostIp === '0.0.0.0' ? '127.0.0.1' : hostIp;
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 2000 });
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}
