import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VmState } from '../../../../src-main/contract/vm.ts';
import { transition, type VmEvent } from '../../../../src-main/vm/state.ts';

const states: readonly VmState[] = [
  { kind: 'absent' },
  { kind: 'booting', stage: 'ssh', attempt: 1, startedAtMs: 1000 },
  { kind: 'ready', sinceMs: 2000, bootTookMs: 1000 },
  { kind: 'sleeping', step: 'saved' },
  { kind: 'resuming', startedAtMs: 900 },
  { kind: 'stopping', step: 'guest' },
  { kind: 'failed', stage: 'disk', message: 'm', hint: 'h' },
];
const events: readonly VmEvent[] = [
  { kind: 'start', atMs: 500 },
  { kind: 'stage', stage: 'agent' },
  { kind: 'retry' },
  { kind: 'ready', atMs: 3500 },
  { kind: 'stop', step: 'kill' },
  { kind: 'fail', stage: 'engine', message: 'no', hint: 'do' },
  { kind: 'gone' },
  { kind: 'sleep' },
  { kind: 'asleep' },
  { kind: 'stay', sinceMs: 2000, bootTookMs: 1000 },
  { kind: 'resume', atMs: 4000 },
];

/** Where each event leads from each state; `-` where it cannot happen. */
const table: Readonly<Record<VmEvent['kind'], Readonly<Record<VmState['kind'], string>>>> = {
  start: row('booting', '-', '-', '-', 'booting', '-', 'booting'),
  stage: row('-', 'booting', '-', '-', '-', '-', '-'),
  retry: row('-', 'booting', '-', '-', '-', '-', '-'),
  ready: row('-', 'ready', '-', '-', 'ready', '-', '-'),
  stop: row('-', 'stopping', 'stopping', 'stopping', 'stopping', 'stopping', 'stopping'),
  fail: row('-', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed'),
  gone: row('absent', 'absent', '-', 'absent', 'absent', 'absent', 'absent'),
  sleep: row('-', '-', 'sleeping', '-', '-', '-', '-'),
  asleep: row('sleeping', '-', '-', 'sleeping', '-', '-', '-'),
  stay: row('-', '-', '-', 'ready', '-', '-', '-'),
  resume: row('-', '-', '-', 'resuming', '-', '-', '-'),
};

for (const event of events) {
  for (const state of states) {
    const expected = table[event.kind][state.kind];
    test(`'${event.kind}' when '${state.kind}' ${expected === '-' ? 'cannot happen' : `leads to '${expected}'`}`, () => {
      if (expected === '-') assert.throws(() => transition(state, event), { code: 'internal' });
      else assert.equal(transition(state, event).kind, expected);
    });
  }
}

test('a retry begins again from the first stage and counts', () => {
  const next = transition({ kind: 'booting', stage: 'engine', attempt: 1, startedAtMs: 7 }, { kind: 'retry' });
  assert.deepEqual(next, { kind: 'booting', stage: 'prepare', attempt: 2, startedAtMs: 7 });
});

test('ready tells how long the boot took, also when the clock went back', () => {
  const booting: VmState = { kind: 'booting', stage: 'engine', attempt: 1, startedAtMs: 1000 };
  assert.deepEqual(transition(booting, { kind: 'ready', atMs: 7500 }), {
    kind: 'ready',
    sinceMs: 7500,
    bootTookMs: 6500,
  });
  assert.deepEqual(transition(booting, { kind: 'ready', atMs: 10 }), { kind: 'ready', sinceMs: 10, bootTookMs: 0 });
});

function row(
  ...cells: readonly [string, string, string, string, string, string, string]
): Record<VmState['kind'], string> {
  const [absent, booting, ready, sleeping, resuming, stopping, failed] = cells;
  return { absent, booting, ready, sleeping, resuming, stopping, failed };
}
