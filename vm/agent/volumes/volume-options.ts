/** Options of the local driver: what is to be mounted as a volume, in the words of mount(8). Pure. */
import { EngineError } from '../../contract/errors.ts';

const known = ['type', 'o', 'device', 'size'];
/** An option, and what it needs beside it. */
const needs: Readonly<Record<string, readonly string[]>> = {
  device: ['type'],
  type: ['device'],
  o: ['device', 'type'],
};

/** Refuses in Docker's words. */
export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  const refuse = (why: string): EngineError => new EngineError('invalid-parameter', `create ${name}: ${why}`);
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) throw refuse(`invalid option: "${option}"`);
    const missing = needs[option]?.find((needed) => options[needed] === undefined);
    if (missing !== undefined) throw refuse(`missing required option: "${missing}"`);
  }
  if (options.size !== undefined) throw refuse('quota size requested but no quota support');
}

export function checkVolumeDriver(name: string, driver: string): void {
  if (driver === '' || driver === 'local') return;
  const why = `error looking up volume plugin ${driver}: plugin "${driver}" not found`;
  throw new EngineError('not-found', `create ${name}: ${why}`);
}

export interface VolumeMount {
  readonly type: string;
  readonly device: string;
  readonly options: string;
}

/** Undefined: a plain folder. */
export function mountOf(options: Readonly<Record<string, string>>): VolumeMount | undefined {
  const { type, device, o = '' } = options;
  return type === undefined || device === undefined ? undefined : { type, device, options: o };
}
