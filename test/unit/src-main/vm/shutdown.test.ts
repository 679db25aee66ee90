import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { shutDown, type ShutdownRequest } from '../../../../src-main/vm/shutdown.ts';

type Ends = 'guest' | 'power-button' | 'kill';

/** A VM that ends at one of the three steps. */
function request(ends: Ends, ask: () => Promise<void> = () => Promise.resolve()) {
  const steps: string[] = [];
  let exit: () => void = () => undefined;
  const exited = new Promise<{ detail: string }>((resolve) => (exit = () => resolve({ detail: '' })));
  const at = (step: Ends): void => {
    if (step === ends) exit();
  };
  const vm = {
    exited,
    powerButton: () => {
      at('power-button');
      return Promise.resolve();
    },
    kill: () => {
      steps.push('killed');
      at('kill');
      return Promise.resolve();
    },
  } as Partial<ShutdownRequest['vm']> as ShutdownRequest['vm'];
  const api = {
    shutdown: async () => {
      await ask();
      at('guest');
    },
  };
  const deadlines = { containersSeconds: 0, guestMs: 20, powerButtonMs: 20 };
  const report = (step: string): void => void steps.push(step);
  return { steps, request: { vm, api, deadlines, report } satisfies ShutdownRequest };
}

test('a guest that powers off needs no more', async () => {
  const { steps, request: asked } = request('guest');
  await shutDown(asked);
  assert.deepEqual(steps, ['guest']);
});

test('one that ignores the request has its power button pressed, then is killed', async () => {
  const pressed = request('power-button');
  await shutDown(pressed.request);
  assert.deepEqual(pressed.steps, ['guest', 'power-button']);
  const killed = request('kill');
  await shutDown(killed.request);
  assert.deepEqual(killed.steps, ['guest', 'power-button', 'kill', 'killed']);
});

test('an answer lost with the link counts as asked; a refusal does not', async () => {
  const lost = request('guest', () => Promise.reject(new AppError('link-lost', 'gone')));
  const wait = shutDown({ ...lost.request, deadlines: { ...lost.request.deadlines, guestMs: 60_000 } });
  const early = await Promise.race([
    wait.then(() => 'ended'),
    new Promise((resolve) => setTimeout(resolve, 50, 'waits')),
  ]);
  assert.equal(early, 'waits', 'the guest is given its time');
  await lost.request.vm.powerButton();
  const refused = request('power-button', () => Promise.reject(new AppError('engine', 'no')));
  await shutDown({ ...refused.request, deadlines: { ...refused.request.deadlines, guestMs: 60_000 } });
  assert.deepEqual(refused.steps, ['guest', 'power-button']);
});

test('without a link the power button is first', async () => {
  const { steps, request: asked } = request('power-button');
  await shutDown({ ...asked, api: undefined });
  assert.deepEqual(steps, ['power-button']);
});
