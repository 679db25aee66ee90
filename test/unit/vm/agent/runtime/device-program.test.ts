import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileDeviceProgram } from '../../../../../vm/agent/runtime/device-program.ts';
import type { OciResources } from '../../../../../vm/agent/runtime/runtime.ts';

type Rules = OciResources['devices'];

const access = { m: 1, r: 2, w: 4 };

/** Runs the few BPF instructions there are; fails on an unknown one and on one that is never reached by falling or jumping. */
function ask(
  program: Buffer,
  type: 'b' | 'c',
  major: number,
  minor: number,
  wanted: readonly (keyof typeof access)[],
): boolean {
  const accessType = (wanted.reduce((mask, letter) => mask | access[letter], 0) << 16) | (type === 'b' ? 1 : 2);
  const context = [accessType, major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let at = 0; ; at++) {
    const base = at * 8;
    const registersByte = program.readUInt8(base + 1);
    const [target, source] = [registersByte & 15, registersByte >> 4];
    const offset = program.readInt16LE(base + 2);
    const immediate = program.readInt32LE(base + 4);
    const value = registers[target] ?? 0;
    switch (program.readUInt8(base)) {
      case 0x61:
        registers[target] = context[offset / 4] ?? 0;
        break;
      case 0x77:
        registers[target] = value >>> immediate;
        break;
      case 0x57:
        registers[target] = value & immediate;
        break;
      case 0xb7:
        registers[target] = immediate;
        break;
      case 0xbf:
        registers[target] = registers[source] ?? 0;
        break;
      case 0x15:
        if (value === immediate) at += offset;
        break;
      case 0x55:
        if (value !== immediate) at += offset;
        break;
      case 0x95:
        return registers[0] === 1;
      default:
        assert.fail(`instruction ${at}: ${program.readUInt8(base)}`);
    }
  }
}

function compile(rules: Rules): Buffer {
  return compileDeviceProgram(rules) ?? assert.fail('no program');
}

test('with no rules all is denied', () => {
  assert.equal(ask(compile([]), 'c', 1, 3, ['r']), false);
});

test('the last rule that matches decides', () => {
  const program = compile([
    { allow: false },
    { allow: true, type: 'c', major: 1 },
    { allow: false, type: 'c', major: 1, minor: 1 },
    { allow: true, type: 'b', access: 'm' },
  ]);
  assert.equal(ask(program, 'c', 1, 3, ['r', 'w']), true);
  assert.equal(ask(program, 'c', 1, 1, ['r']), false);
  assert.equal(ask(program, 'c', 5, 3, ['r']), false);
  assert.equal(ask(program, 'b', 1, 3, ['r']), false);
  assert.equal(ask(program, 'b', 254, 0, ['m']), true);
});

test('an allowance must name all that is asked for, a denial any of it', () => {
  const allow = compile([{ allow: true, type: 'c', major: 10, access: 'rm' }]);
  assert.equal(ask(allow, 'c', 10, 0, ['r']), true);
  assert.equal(ask(allow, 'c', 10, 0, ['r', 'm']), true);
  assert.equal(ask(allow, 'c', 10, 0, ['r', 'w']), false);
  const deny = compile([{ allow: true }, { allow: false, access: 'w' }]);
  assert.equal(ask(deny, 'c', 10, 0, ['r']), true);
  assert.equal(ask(deny, 'c', 10, 0, ['r', 'w']), false);
});

test('where everything is allowed there is no program', () => {
  assert.equal(compileDeviceProgram([{ allow: true, access: 'rwm' }]), undefined);
  assert.equal(
    compileDeviceProgram([{ allow: false }, { allow: true, type: 'a' }, { allow: true, type: 'c' }]),
    undefined,
  );
});

test('no instruction is unreachable, which the kernel refuses', () => {
  const program = compile([
    { allow: true, type: 'c', major: 3 },
    { allow: false },
    { allow: true, type: 'c', major: 1 },
  ]);
  const reached = new Set<number>();
  const pending = [0];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    const opcode = program.readUInt8(at * 8);
    if (opcode === 0x95) continue;
    pending.push(at + 1);
    if (opcode === 0x15 || opcode === 0x55) pending.push(at + 1 + program.readInt16LE(at * 8 + 2));
  }
  assert.equal(reached.size, program.length / 8);
});
