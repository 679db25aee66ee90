/** Waiting in tests. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is yes; the deadline only ends a test that would never pass. */
export async function until(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await probe())) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`);
    await sleep(100);
  }
}
