/** Tags of records, as in `native/monitor/plan.h` and `protocol.h`. */

export const planTags = {
  container: 1,
  log: 2,
  idRange: 3,
  namespace: 4,
  layer: 5,
  overlay: 6,
  cgroup: 7,
  devices: 8,
  node: 9,
  link: 10,
  folder: 11,
  bind: 12,
  mount: 20,
  putBind: 21,
  putDev: 22,
  mask: 23,
  readOnly: 24,
  sysctl: 25,
  hostname: 26,
  domainname: 27,
  rootReadOnly: 28,
  process: 40,
  args: 41,
  env: 42,
  groups: 43,
  capabilities: 44,
  rlimit: 45,
  seccomp: 46,
  exec: 47,
} as const;

export const requestTags = {
  create: 100,
  go: 101,
  state: 102,
  attach: 103,
  resize: 104,
  kill: 105,
  exec: 106,
} as const;

export const answerTags = { ok: 200, error: 201, exited: 210, execExited: 211 } as const;
