/** `Devices` of a request to device numbers, as they are in the guest now. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import type { OciConfig } from '../runtime/runtime.ts';
import type { Device } from '../state/container-record.ts';

/** Throws `invalid-parameter`, in Docker's words, for what is not a device. */
export function resolveDevices(devices: readonly Device[]): Promise<OciConfig['linux']['devices'][number][]> {
  return Promise.all(
    devices.map(async (device) => {
      const stats = await stat(device.PathOnHost).catch(() => undefined);
      if (stats === undefined || !(stats.isCharacterDevice() || stats.isBlockDevice())) {
        throw new EngineError(
          'invalid-parameter',
          `error gathering device information while adding custom device "${device.PathOnHost}": ${stats === undefined ? 'no such file or directory' : 'not a device node'}`,
        );
      }
      return {
        path: device.PathInContainer,
        type: stats.isBlockDevice() ? ('b' as const) : ('c' as const),
        ...deviceNumbers(stats.rdev),
        fileMode: stats.mode & 0o777,
      };
    }),
  );
}

/** What a container has of its own in `/dev`. */
const ownInContainer = new Set(['pts', 'ptmx', 'shm', 'mqueue', 'fd', 'console']);

/** Every device of the guest, as a privileged container has them, at its own path. */
export async function guestDevices(folder = '/dev'): Promise<Device[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => folder !== '/dev' || !ownInContainer.has(entry.name))
      .map(async (entry): Promise<Device[]> => {
        const place = path.join(folder, entry.name);
        if (entry.isDirectory()) return guestDevices(place);
        if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
        return [{ PathOnHost: place, PathInContainer: place, CgroupPermissions: 'rwm' }];
      }),
  );
  return found.flat();
}

/** glibc's layout of `dev_t`, below 2^52. */
function deviceNumbers(device: number): { major: number; minor: number } {
  const high = Math.floor(device / 2 ** 32);
  const low = device % 2 ** 32;
  return {
    major: ((low >>> 8) & 0xfff) | (high & 0xfffff000),
    minor: (low & 0xff) | ((low >>> 12) & 0xffffff00),
  };
}
