/** `HostConfig.LogConfig`: where a container's output is kept and how much of it. */
import { EngineError } from '../../contract/errors.ts';
import type { LogFile } from '../runtime/runtime.ts';
import type { ContainerRecord, HostConfig } from '../state/container-record.ts';
import { parseBytes } from './parse-bytes.ts';

const localOptions = ['max-file', 'max-size', 'compress'];
const jsonFileOptions = [...localOptions, 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];

/** Undefined for the driver `none`. */
export function logFileOf(record: Pick<ContainerRecord, 'hostConfig'>, path: string): LogFile | undefined {
  const options = parseLogConfig(record.hostConfig.LogConfig);
  return options === undefined ? undefined : { path, ...options };
}

/** Throws `invalid-parameter` for an unknown driver or malformed option. Without `max-size` a log is not limited. */
export function parseLogConfig(
  logConfig: HostConfig['LogConfig'],
): { readonly maxSizeBytes: number; readonly maxFiles: number } | undefined {
  switch (logConfig.Type) {
    case 'none':
      return undefined;
    case '':
    case 'json-file':
    case 'local':
      break;
    default:
      throw new EngineError(
        'invalid-parameter',
        `error looking up logging plugin ${logConfig.Type}: plugin "${logConfig.Type}" not found`,
      );
  }
  const known = logConfig.Type === 'local' ? localOptions : jsonFileOptions;
  const unknown = Object.keys(logConfig.Config).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new EngineError(
      'invalid-parameter',
      logConfig.Type === 'local'
        ? `unknown log opt '${unknown}' for log driver local`
        : `unknown log opt '${unknown}' for json-file log driver`,
    );
  }
  const maxSize = logConfig.Config['max-size'];
  const maxFiles = Number(logConfig.Config['max-file'] ?? 1);
  if (!Number.isInteger(maxFiles) || maxFiles < 1 || maxFiles > 1000) {
    throw new EngineError('invalid-parameter', 'max-file must be a number from 1 to 1000');
  }
  return { maxSizeBytes: maxSize === undefined ? 0 : parseSize(maxSize), maxFiles };
}

function parseSize(text: string): number {
  const size = parseBytes(text) ?? 0;
  if (size === 0) throw new EngineError('invalid-parameter', `invalid max-size: '${text}'`);
  return size;
}
