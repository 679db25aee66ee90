/** Compiles device rules to the BPF program that the kernel asks at each open and mknod in the cgroup. */
import type { OciResources } from './runtime.ts';

type DeviceRule = OciResources['devices'][number];

/** bpf_cgroup_dev_ctx: access_type (access << 16 | type), major, minor. */
const registers = { result: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, scratch: 6 };
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const typeNumbers = { b: 1, c: 2 } as const;

const code = {
  loadWord: 0x61,
  shiftRight: 0x77,
  and: 0x57,
  move: 0xb7,
  moveRegister: 0xbf,
  jumpEqual: 0x15,
  jumpNotEqual: 0x55,
  exit: 0x95,
};

function instruction(opcode: number, target: number, source: number, offset: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8((source << 4) | target, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate, 4);
  return bytes;
}

/** Undefined when everything is allowed, so that no program is needed. The last rule that matches decides. */
export function compileDeviceProgram(rules: readonly DeviceRule[]): Buffer | undefined {
  const lastFirst = rules.toReversed();
  /* A rule that matches everything ends the list: the kernel refuses instructions that are never reached. */
  const end = lastFirst.findIndex(matchesAll);
  const verdict = lastFirst[end]?.allow === true;
  const deciding = end < 0 ? lastFirst : lastFirst.slice(0, end);
  if (verdict && deciding.every((rule) => rule.allow)) return undefined;
  return Buffer.concat([
    instruction(code.loadWord, registers.type, registers.context, 0, 0),
    instruction(code.moveRegister, registers.access, registers.type, 0, 0),
    instruction(code.and, registers.type, 0, 0, 0xffff),
    instruction(code.shiftRight, registers.access, 0, 0, 16),
    instruction(code.loadWord, registers.major, registers.context, 4, 0),
    instruction(code.loadWord, registers.minor, registers.context, 8, 0),
    ...deciding.map(compileRule),
    instruction(code.move, registers.result, 0, 0, verdict ? 1 : 0),
    instruction(code.exit, 0, 0, 0, 0),
  ]);
}

function matchesAll(rule: DeviceRule): boolean {
  return (
    (rule.type === undefined || rule.type === 'a') &&
    rule.major === undefined &&
    rule.minor === undefined &&
    accessMask(rule) === 7
  );
}

function accessMask(rule: DeviceRule): number {
  if (rule.access === undefined || rule.access === '') return 7;
  return Array.from(rule.access).reduce((mask, letter) => mask | (accessBits[letter] ?? 0), 0);
}

/** Tests that jump past the rule, then its verdict. */
function compileRule(rule: DeviceRule): Buffer {
  const tests: ((skip: number) => Buffer)[] = [];
  const unlessEqual = (register: number, value: number) =>
    tests.push((skip) => instruction(code.jumpNotEqual, register, 0, skip, value));
  if (rule.type === 'b' || rule.type === 'c') unlessEqual(registers.type, typeNumbers[rule.type]);
  const mask = accessMask(rule);
  if (mask !== 7) {
    tests.push(() => instruction(code.moveRegister, registers.scratch, registers.access, 0, 0));
    /* To be allowed, all that is asked for must be named; to be denied, any of it. */
    tests.push(() => instruction(code.and, registers.scratch, 0, 0, rule.allow ? ~mask & 7 : mask));
    tests.push((skip) => instruction(rule.allow ? code.jumpNotEqual : code.jumpEqual, registers.scratch, 0, skip, 0));
  }
  if (rule.major !== undefined) unlessEqual(registers.major, rule.major);
  if (rule.minor !== undefined) unlessEqual(registers.minor, rule.minor);
  /* Skips the tests that follow and the two instructions of the verdict. */
  const compiled = tests.map((test, index) => test(tests.length - index - 1 + 2));
  return Buffer.concat([
    ...compiled,
    instruction(code.move, registers.result, 0, 0, rule.allow ? 1 : 0),
    instruction(code.exit, 0, 0, 0, 0),
  ]);
}
