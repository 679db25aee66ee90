import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { createStepRunner, type Step } from '../../../../vm/image/steps.ts';

interface Fixture {
  readonly output: string;
  readonly printed: string[];
  /** Runs the step with these inputs in a fresh runner; resolves with how often its work has run so far. */
  run(inputs: unknown, work?: Step['work']): Promise<number>;
}

function fixture(t: TestContext): Fixture {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-steps-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const output = path.join(folder, 'output');
  const printed: string[] = [];
  let runs = 0;
  return {
    output,
    printed,
    async run(inputs, work) {
      const runner = createStepRunner(path.join(folder, 'stamps'), (line) => printed.push(line));
      await runner.run({
        name: 'a step',
        inputs,
        outputs: [output],
        work: async () => {
          runs += 1;
          await work?.();
          writeFileSync(output, '');
        },
      });
      return runs;
    },
  };
}

test('a step runs once for the same inputs, and again for others', async (t) => {
  const step = fixture(t);
  assert.equal(await step.run({ a: 1 }), 1);
  assert.equal(await step.run({ a: 1 }), 1);
  assert.equal(step.printed.at(-1), '• a step: unchanged');
  assert.equal(await step.run({ a: 2 }), 2);
});

test('a step runs again when its output is gone', async (t) => {
  const step = fixture(t);
  await step.run(1);
  rmSync(step.output);
  assert.equal(await step.run(1), 2);
});

test('a step that failed runs again, although an old output is still there', async (t) => {
  const step = fixture(t);
  await step.run(1);
  await assert.rejects(
    step.run(2, () => Promise.reject(new Error('disk full'))),
    /disk full/,
  );
  assert.equal(await step.run(2), 3);
  await assert.rejects(step.run(3, () => Promise.reject(new Error('disk full'))));
  assert.equal(await step.run(2), 5, 'what the failure left is not taken for the earlier result');
});
