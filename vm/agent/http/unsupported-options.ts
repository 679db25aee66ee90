/**
 * Options of a container that this engine has not. What changes where or how it may run is refused, in the words of an
 * engine that has it neither; what is a mere wish of the kernel is dropped with Docker's warning. Nothing is dropped silently.
 */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { parseAs } from './body.ts';
import { integer, text } from './fields.ts';

const deviceRequest = z.object({
  Driver: text,
  Capabilities: z
    .array(z.array(z.string()))
    .nullish()
    .transform((value) => value ?? []),
});

const unsupported = z.object({
  DeviceRequests: z
    .array(deviceRequest)
    .nullish()
    .transform((value) => value ?? []),
  Runtime: text,
  Isolation: text,
  VolumeDriver: text,
  CgroupParent: text,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  BlkioWeightDevice: z
    .array(z.unknown())
    .nullish()
    .transform((value) => value ?? []),
  OomKillDisable: z.boolean().nullish(),
  MemorySwappiness: z.number().int().nullish(),
});

/** `runc` too: files that name Docker's usual runtime mean "as usual". */
const runtimes = ['', 'wherry', 'runc'];

/** @param value the body's `HostConfig`. @returns warnings. @throws EngineError `invalid-parameter`. */
export function checkUnsupported(value: unknown): string[] {
  const options = parseAs(unsupported, value ?? {});
  const [device] = options.DeviceRequests;
  if (device !== undefined) {
    const capabilities = device.Capabilities.map((words) => `[${words.join(' ')}]`).join(' ');
    throw invalid(
      `could not select device driver "${device.Driver}" with capabilities: [${capabilities}]: the VM has no such device`,
    );
  }
  if (!runtimes.includes(options.Runtime)) throw invalid(`Unknown runtime specified ${options.Runtime}`);
  if (!['', 'default'].includes(options.Isolation)) {
    throw invalid(`Invalid isolation: "${options.Isolation}" - linux only supports 'default'`);
  }
  if (!['', 'local'].includes(options.VolumeDriver)) {
    throw invalid(`error looking up volume plugin ${options.VolumeDriver}: plugin "${options.VolumeDriver}" not found`);
  }
  if (options.CgroupParent !== '') {
    throw invalid('cgroup parents are not supported: each container has its own cgroup, leave --cgroup-parent out');
  }
  if (options.CpuRealtimePeriod !== 0 || options.CpuRealtimeRuntime !== 0) {
    throw invalid('Your kernel does not support CPU real-time scheduler');
  }
  return [
    ...(options.BlkioWeightDevice.length > 0
      ? ['Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.']
      : []),
    ...(options.OomKillDisable === true
      ? ['Your kernel does not support OomKillDisable. OomKillDisable discarded.']
      : []),
    ...((options.MemorySwappiness ?? -1) >= 0
      ? [
          'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
        ]
      : []),
  ];
}

function invalid(message: string): EngineError {
  return new EngineError('invalid-parameter', message);
}
