import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageDetails } from '../../../../../src-main/contract/engine.ts';
import {
  emptyForm,
  findProblems,
  parseMemory,
  prefill,
  toRequest,
  type RunForm,
} from '../../../../../src-renderer/screens/images/run-form.ts';
import { joinWords, splitWords } from '../../../../../src-renderer/screens/images/split-words.ts';
import { checkReference } from '../../../../../src-renderer/screens/images/reference.ts';

const form = (values: Partial<RunForm> = {}): RunForm => ({ ...emptyForm('nginx:1.29'), ...values });

test('an empty form asks for the image only', () => {
  assert.deepEqual(findProblems(form()), {});
  assert.deepEqual(toRequest(form()), { image: 'nginx:1.29' });
  assert.deepEqual(Object.keys(findProblems(form({ image: '' }))), ['image']);
});

test('each wrong field has its own problem', () => {
  const port = { protocol: 'tcp' } as const;
  const problems = findProblems(
    form({
      name: '-x',
      command: 'sh -c "open',
      memory: '5m',
      cpus: '0',
      pids: '1.5',
      restart: 'always',
      remove: true,
      ports: [
        { ...port, key: 1, containerPort: '0', hostPort: '' },
        { ...port, key: 2, containerPort: '80', hostPort: '70000' },
        { ...port, key: 3, containerPort: '81', hostPort: '8080' },
        { ...port, key: 4, containerPort: '82', hostPort: '8080' },
        { key: 5, protocol: 'udp', containerPort: '82', hostPort: '8080' },
        { ...port, key: 6, containerPort: '', hostPort: '' },
      ],
      variables: [
        { key: 7, name: '', value: 'x' },
        { key: 8, name: 'A=B', value: '' },
        { key: 9, name: '', value: '' },
      ],
    }),
  );
  assert.deepEqual(Object.keys(problems).sort(), [
    'command',
    'cpus',
    'memory',
    'name',
    'pids',
    'port-1',
    'port-2',
    'port-4',
    'restart',
    'variable-7',
    'variable-8',
  ]);
});

test('what the image declares is filled in once and sent only where it was changed', () => {
  const details = {
    exposedPorts: ['80/tcp', '53/udp'],
    environment: ['PATH=/bin', 'MODE=fast', 'EMPTY='],
  } as unknown as ImageDetails;
  const once = prefill(form(), details);
  assert.deepEqual(
    once.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
    ['80/tcp', '53/udp'],
  );
  assert.equal(prefill(once, details).ports.length, 2);
  assert.equal(prefill(once, details).variables.length, 2);
  assert.equal(toRequest(once).environment, undefined);
  const variables = once.variables.map((row) => (row.name === 'MODE' ? { ...row, value: 'slow' } : row));
  assert.deepEqual(toRequest({ ...once, variables }).environment, ['MODE=slow']);
});

test('memory is read with its unit', () => {
  assert.equal(parseMemory('512'), 512 * 1024 ** 2);
  assert.equal(parseMemory('512m'), 512 * 1024 ** 2);
  assert.equal(parseMemory('1.5 GiB'), 1.5 * 1024 ** 3);
  assert.equal(parseMemory('64KB'), 64 * 1024);
  for (const wrong of ['', 'many', '-1', '1t', '1e3']) assert.equal(parseMemory(wrong), undefined, wrong);
});

test('a command line is split as a shell would, and joined back', () => {
  assert.deepEqual(splitWords(`sh -c 'echo "a b"'  x\\ y ""`).words, ['sh', '-c', 'echo "a b"', 'x y', '']);
  assert.deepEqual(splitWords(`"a \\"b\\" \\n"`).words, ['a "b" \\n']);
  assert.match(splitWords(`sh 'open`).problem ?? '', /not closed/);
  for (const words of [
    ['a', 'b c', ''],
    ["it's", '$HOME', 'x=1'],
    ['\\', '"'],
  ]) {
    assert.deepEqual(splitWords(joinWords(words)).words, words);
  }
});

test('references are told right from wrong as the engine would', () => {
  const right = [
    'nginx',
    'nginx:1.29',
    'library/nginx',
    'registry.example.org/shop/worker:2026.11.4',
    'localhost:5000/a/b',
    '127.0.0.1:5000/x:latest',
    '[::1]:5000/x',
    `nginx@sha256:${'ab'.repeat(32)}`,
    'a__b/c--d.e',
  ];
  const wrong = ['', 'Nginx', 'a b', 'http://x/y', 'nginx:', '-x', 'a//b', 'nginx@sha256:12', 'x:tag with', '../x'];
  for (const reference of right) assert.equal(checkReference(reference), undefined, reference);
  for (const reference of wrong) assert.notEqual(checkReference(reference), undefined, reference);
});

test('volumes go by name to a path each, and the network by its name', () => {
  const row = (key: number, name: string, path: string, readOnly = false) => ({ key, name, path, readOnly });
  const right = form({ volumes: [row(1, ' data ', '/srv/data', true), row(2, '', '')], network: 'shop' });
  assert.deepEqual(findProblems(right), {});
  assert.deepEqual(toRequest(right), {
    image: 'nginx:1.29',
    volumes: [{ name: 'data', path: '/srv/data', readOnly: true }],
    network: 'shop',
  });
  const wrong = findProblems(
    form({
      volumes: [
        row(1, '', '/a'),
        row(2, 'a b', '/a'),
        row(3, 'ab', 'a'),
        row(4, 'ab', '/'),
        row(5, 'ab', '/b'),
        row(6, 'ac', '/b'),
      ],
    }),
  );
  assert.deepEqual(Object.keys(wrong), ['volume-1', 'volume-2', 'volume-3', 'volume-4', 'volume-6']);
  assert.match(wrong['volume-6'] ?? '', /both be at \/b/);
});
