/**
 * Takes out of a command's output what differs by nature between two engines: ids, times, sizes, addresses, and whole
 * families of words that the two have for the same. Pure.
 */

const rules: readonly (readonly [RegExp, string])[] = [
  [/sha256:[0-9a-f]{64}/g, 'DIGEST'],
  [/\b[0-9a-f]{64}\b/g, 'ID64'],
  [/\b[0-9a-f]{12}\b/g, 'ID12'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, 'TIME'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} UTC/g, 'TIME'],
  [/(Less than a second|About an? \w+|\d+ (second|minute|hour|day|week|month|year)s?)( ago)?/g, 'AGO'],
  [/\b(?!0B)\d+(\.\d+)?\s?([kMG]i?)?B\b/g, 'SIZE'],
  [/\b\d+\.\d+%/g, 'PERCENT'],
  [/\b10\.7[12]\./g, '10.S.'],
  [/\b(172|192|10)\.\d+\.\d+\.\d+\b/g, 'ADDRESS'],
  [/\b18[12](\d\d)\b/g, 'P$1'],
  [/\bbr-[wd]\b/g, 'br-E'],
  [/\/tmp\/(wherry|docker)\b/g, '~'],
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC'],
  [/127\.0\.0\.1:/g, '0.0.0.0:'],
  [/(localhost|ADDRESS):\d{4,5}\//g, 'REGISTRY/'],
  [/\bveth[0-9a-f]+\b/g, 'VETH'],
  // Each has its folder.
  [/\/var\/lib\/wherry\/peer-docker\b/g, '/var/lib/wherry'],
  // The runtime is our own, and later engines word this otherwise.
  [/failed to create (task for container|shim task): (OCI runtime create failed: runc create failed: )?/g, 'RUNTIME: '],
  [/: unknown$/gm, ''],
  // The kernel has more capabilities than docker.io 20.10 knows.
  [/CapEff:\s+(000001ffffffffff|0000003fffffffff)/g, 'CapEff: ALL'],
  // Without a name server one has an answer, the other none.
  [/lookup \S+ on \S+: read udp \S+: .*|lookup \S+: no such host/g, 'lookup failed'],
  // Only steps that run something have a container here; and later engines word it otherwise.
  [/^( ---> Removed|Removing) intermediate container ID12\n/gm, ''],
  [/^ ---> Running in ID12\n/gm, ''],
  // Whether a program still writes when its reader has gone is chance.
  [/^write \/dev\/stdout: broken pipe\n/gm, ''],
  // Which of the client's two ends meets the other's end first is chance.
  [/^time="?TIME"? level=error msg="Can't .* closed pipe"\n/gm, ''],
  // As later engines do.
  [/dockerfile parse error on line/g, 'dockerfile parse error line'],
];

export function normalise(text: string): string {
  const plain = rules.reduce((result, [pattern, word]) => result.replace(pattern, word), text);
  // Tables are padded to their widest cell, which may be one of the words above.
  return plain
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, '  ').trimEnd())
    .join('\n')
    .trim();
}
