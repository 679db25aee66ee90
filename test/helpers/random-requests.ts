/** Requests as a careless or hostile client would send them, the same ones for the same seed. */

export interface RandomRequest {
  readonly path: string;
  readonly body: Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** mulberry32: small, and good enough to choose. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const words = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    '1',
    '1e99',
    '007',
    'true',
    'null',
    '[]',
    '{}',
    '{"a":["b"]}',
    '{"label":{"x":true}}',
    'ä\u{1F6A2}\0',
  ],
  ...[
    '../../etc/passwd',
    '/',
    '//',
    '%',
    '%zz',
    'a:b:c',
    'host',
    'container:x',
    'none',
    'default',
    'SIGKILL',
    'ctrl-p',
  ],
  ...['a'.repeat(300), '\n', '"', '*', '(', '__proto__', 'constructor', '2026-01-02T03:04:05Z', '9'.repeat(40)],
];
const values: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 1.5, 1e300, -(2 ** 53), [], {}, [[]], [null], [{}], { '': '' }, { __proto__: null }],
];
const queryNames =
  `all limit size filters name force v signal t h w condition detachKeys stream logs stdin stdout stderr follow
tail since until timestamps ps_args path noOverwriteDirNonDir fromImage fromSrc tag repo platform noprune one-shot verbose scope digests`.split(
    /\s+/,
  );
const fieldNames =
  `Hostname User Env Cmd Entrypoint Image Volumes WorkingDir Labels StopSignal StopTimeout Shell Healthcheck ExposedPorts Tty
HostConfig Binds Mounts Tmpfs NetworkMode PortBindings RestartPolicy AutoRemove VolumesFrom ConsoleSize CapAdd CapDrop Dns ExtraHosts
GroupAdd IpcMode PidMode Privileged SecurityOpt ShmSize CpuShares Memory NanoCpus Devices DeviceCgroupRules Ulimits Sysctls Init LogConfig
BlkioWeight BlkioDeviceReadBps PidsLimit MemorySwap NetworkingConfig EndpointsConfig Test Interval Retries Type Source Target
BindOptions VolumeOptions TmpfsOptions Subpath DriverConfig Name Driver DriverOpts IPAM Config Subnet Internal Options Container Force
EndpointConfig Detach AttachStdin AttachStdout DetachKeys MaximumRetryCount nowMs`.split(/\s+/);

/** `names`: values for a path's parameters that mean something. */
export function randomRequests(seed: number, names: readonly string[]): (path: string) => RandomRequest {
  const next = numbers(seed);
  const below = (count: number): number => Math.floor(next() * count);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const word = (): string => (below(3) === 0 ? pick(names) : pick(words));
  const value = (depth: number): unknown => {
    if (depth === 0 || below(3) === 0) return below(2) === 0 ? word() : pick(values);
    if (below(4) === 0) return Array.from({ length: below(4) }, () => value(depth - 1));
    return Object.fromEntries(
      Array.from({ length: below(6) }, () => [below(6) === 0 ? word() : pick(fieldNames), value(depth - 1)]),
    );
  };
  const body = (): Buffer | undefined => {
    const kind = below(10);
    if (kind === 0) return undefined;
    if (kind === 1) return Buffer.from(Array.from({ length: below(200) }, () => below(256)));
    const text = JSON.stringify(kind < 4 ? value(4) : { Image: 'img', ...(value(4) as object) });
    return Buffer.from(kind === 9 ? text.slice(0, below(text.length)) : text);
  };
  return (path) => {
    const filled = path.replace(/[:*]\w+/g, () => encodeURIComponent(word()) || 'x');
    const query = Array.from({ length: below(5) }, () => `${pick(queryNames)}=${encodeURIComponent(word())}`).join('&');
    const sent = body();
    const headers: Record<string, string> = sent === undefined ? {} : { 'Content-Type': 'application/json' };
    if (below(12) === 0) headers['X-Registry-Auth'] = word().replace(/[^\x20-\x7e]/g, '');
    if (below(12) === 0) Object.assign(headers, { Connection: 'Upgrade', Upgrade: 'tcp' });
    return { path: `${below(4) === 0 ? `/v1.${below(60)}` : ''}${filled}?${query}`, body: sent, headers };
  };
}
