import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestFault, readinessStages, reachStage, type GuestProbes } from '../../../../src-main/vm/readiness.ts';
import type { GuestHealth, StageHealth } from '../../../../vm/contract/wherry-api.ts';

const ok: StageHealth = { state: 'ok', detail: '' };
const patience = { factor: 1, pauseMs: 1 };

function health(parts: Partial<GuestHealth>): GuestHealth {
  return {
    agent: { version: '1', pid: 1, startedAtMs: 1, instanceId: 'i' },
    disk: ok,
    network: ok,
    engine: ok,
    ...parts,
  };
}

function probes(parts: Partial<GuestProbes>): GuestProbes {
  return {
    ssh: () => Promise.resolve(),
    health: () => Promise.resolve(health({})),
    ping: () => Promise.resolve(),
    ...parts,
  };
}

function stage(name: string) {
  const found = readinessStages.find((each) => each.stage === name);
  assert.ok(found !== undefined);
  return found;
}

test('a stage is asked again until it is reached', async () => {
  const answers = ['starting', 'starting', 'ok'] as const;
  let asked = 0;
  const disk = (): Promise<GuestHealth> =>
    Promise.resolve(health({ disk: { state: answers[asked++] ?? 'ok', detail: 'formatting' } }));
  await reachStage(stage('disk'), probes({ health: disk }), patience);
  assert.equal(asked, 3);
});

test('what the guest calls failed is final, with its own hint', async () => {
  const failed: StageHealth = { state: 'failed', detail: 'unknown content', hint: 'Look at it.' };
  const reached = reachStage(
    stage('disk'),
    probes({ health: () => Promise.resolve(health({ disk: failed })) }),
    patience,
  );
  await assert.rejects(reached, (error) => {
    assert.ok(error instanceof GuestFault);
    assert.match(error.message, /open the data disk: unknown content/);
    assert.equal(error.hint, 'Look at it.');
    return true;
  });
});

test('a stage that is never reached ends with its deadline, its hint and the last reason', async () => {
  const short = { ...stage('agent'), deadlineMs: 30 };
  const never = probes({ health: () => Promise.reject(new Error('connection refused')) });
  await assert.rejects(reachStage(short, never, patience), {
    code: 'deadline',
    message: /not reached within \d+ s: connection refused/,
    hint: short.hint,
  });
});

test('a probe that hangs does not outlive the deadline', async () => {
  const short = { ...stage('ssh'), deadlineMs: 30 };
  const hangs = probes({ ssh: () => new Promise(() => undefined) });
  await assert.rejects(reachStage(short, hangs, patience), { code: 'deadline' });
});

test('cancelling ends the wait with its reason', async () => {
  const controller = new AbortController();
  const never = probes({ health: () => Promise.reject(new Error('no')) });
  const refused = assert.rejects(reachStage(stage('agent'), never, patience, controller.signal), { message: 'stop' });
  controller.abort(new Error('stop'));
  await refused;
});
