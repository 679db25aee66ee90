/** A build's output, told by step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBuildLines, stepState } from '../../../../../src-renderer/screens/images/build-steps.ts';
import { registryOf } from '../../../../../src-renderer/screens/images/reference.ts';

test('lines belong to the step before them, however they come; what the builder says of itself is left out', () => {
  const lines = [
    'warning: no such thing',
    'Step 1/3 : FROM a',
    ' ---> 0123',
    'Step 2/3 : COPY . .',
    ' ---> Using cache',
    'Step 3/3 : RUN make',
    ' ---> Running in 4567',
    'one',
    '',
    'Removing intermediate container 4567',
  ];
  const steps = addBuildLines([], lines);
  assert.deepEqual(
    steps.map(({ number, instruction, cached, output }) => [number, instruction, cached, output.length]),
    [
      [0, '', false, 1],
      [1, 'FROM a', false, 0],
      [2, 'COPY . .', true, 0],
      [3, 'RUN make', false, 2],
    ],
  );
  const oneByOne = lines.reduce((before, line) => addBuildLines(before, [line]), addBuildLines([], []));
  assert.deepEqual(oneByOne, steps);
  const last = steps.at(-1);
  const states = (task: 'running' | 'failed' | 'done') => steps.map((step) => stepState(step, last, task));
  assert.deepEqual(states('running'), ['done', 'done', 'cached', 'running']);
  assert.deepEqual(states('failed'), ['done', 'done', 'cached', 'failed']);
  assert.deepEqual(states('done'), ['done', 'done', 'cached', 'done']);
});

test('the registry of a name', () => {
  assert.equal(registryOf('nginx:1'), 'Docker Hub');
  assert.equal(registryOf('team/app'), 'Docker Hub');
  assert.equal(registryOf('localhost/app'), 'localhost');
  assert.equal(registryOf('localhost:5000/app'), 'localhost:5000');
  assert.equal(registryOf('registry.example/team/app:1'), 'registry.example');
});
