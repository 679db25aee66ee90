import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { vmStages, type VmState, type VmView } from '../../../../src-main/contract/vm.ts';
import { stageNames, summarizeHealth } from '../../../../src-renderer/stores/health.ts';

const connected = { kind: 'connected' } as const;

function view(state: VmState, values: Partial<VmView> = {}): VmView {
  return { state, stages: [], link: 'up', dockerHost: '', warnings: [], ...values };
}

const ready: VmState = { kind: 'ready', sinceMs: 1, bootTookMs: 1 };

test('only a ready VM behind a link that is up counts as usable', () => {
  assert.equal(summarizeHealth(connected, view(ready)).usable, true);
  for (const link of ['none', 'connecting', 'down'] as const) {
    const health = summarizeHealth(connected, view(ready, { link }));
    assert.equal(health.usable, false);
    assert.equal(health.mend, 'mend');
  }
  const others: VmState[] = [
    { kind: 'absent' },
    { kind: 'sleeping', step: 'saving' },
    { kind: 'sleeping', step: 'saved' },
    { kind: 'resuming', startedAtMs: 1 },
    { kind: 'stopping', step: 'guest' },
    { kind: 'booting', stage: 'agent', attempt: 1, startedAtMs: 0 },
    { kind: 'failed', stage: 'agent', message: 'm', hint: 'h' },
  ];
  for (const state of others) assert.equal(summarizeHealth(connected, view(state)).usable, false, state.kind);
});

test('the lost host is told before anything the last view said', () => {
  const lost = summarizeHealth({ kind: 'connecting', reason: new AppError('link-lost', 'gone') }, view(ready));
  assert.equal(lost.usable, false);
  assert.equal(lost.tone, 'bad');
  const refused = summarizeHealth(
    { kind: 'refused', reason: new AppError('invalid-input', 'no', { hint: 'do' }) },
    view(ready),
  );
  assert.equal(refused.mend, 'reload');
  assert.equal(refused.hint, 'do');
});

test('a failure at each stage names it, with its hint and a way to mend', () => {
  for (const stage of vmStages) {
    const health = summarizeHealth(connected, view({ kind: 'failed', stage, message: 'why', hint: 'next' }));
    assert.equal(health.title, `Failed: ${stageNames[stage]}`);
    assert.deepEqual([health.detail, health.hint, health.mend], ['why', 'next', 'mend']);
  }
});

test('off and asleep offer to start; a warning shows but blocks nothing', () => {
  assert.equal(summarizeHealth(connected, view({ kind: 'absent' })).mend, 'start');
  assert.equal(summarizeHealth(connected, view({ kind: 'sleeping', step: 'saved' })).mend, 'start');
  const warned = summarizeHealth(connected, view(ready, { warnings: [{ message: 'slow', hint: 'kvm' }] }));
  assert.deepEqual([warned.usable, warned.tone, warned.detail, warned.hint], [true, 'warn', 'slow', 'kvm']);
});
