/** The few facts the overview takes from the engine's whole inspect answer, which may be anything. */

export interface Limits {
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly pids?: number;
}

export function readLimits(raw: unknown): Limits {
  const config = at(raw, 'HostConfig');
  const memory = positive(at(config, 'Memory'));
  const nano = positive(at(config, 'NanoCpus'));
  const quota = positive(at(config, 'CpuQuota'));
  const period = positive(at(config, 'CpuPeriod')) ?? 100_000;
  const pids = positive(at(config, 'PidsLimit'));
  const cpus = nano !== undefined ? nano / 1e9 : quota !== undefined ? quota / period : undefined;
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(pids === undefined ? {} : { pids }),
  };
}

/** `volume web-data → /usr/share/nginx/html`, one for each mount. */
export function readMounts(raw: unknown): readonly string[] {
  const mounts = at(raw, 'Mounts');
  if (!Array.isArray(mounts)) return [];
  return mounts.map((mount: unknown) => {
    const source = text(at(mount, 'Name')) || text(at(mount, 'Source'));
    const mode = at(mount, 'RW') === false ? ' (read-only)' : '';
    return `${text(at(mount, 'Type'))} ${source} → ${text(at(mount, 'Destination'))}${mode}`;
  });
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
