import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerEdit } from '../../../../../src-main/contract/engine.ts';
import {
  changesOf,
  editProblems,
  inPlace,
  toEdit,
  toForm,
} from '../../../../../src-renderer/screens/container/edit-form.ts';

const before: ContainerEdit = {
  command: ['sh', '-c', `echo "it's"  $HOME`],
  environment: ['PATH=/bin', 'EMPTY=', 'BARE', 'MANY=a=b\nc'],
  ports: [
    { containerPort: 80, protocol: 'tcp', hostPort: 8080, hostIp: '' },
    { containerPort: 53, protocol: 'udp', hostPort: 0, hostIp: '127.0.0.1' },
  ],
  mounts: [{ type: 'volume', source: 'data', target: '/data', readOnly: true }],
  memoryBytes: 100_001_792,
  cpus: 0.25,
  pidsLimit: 0,
  restartPolicy: 'no',
};

test('a form that nobody touched changes nothing', () => {
  const form = toForm(before, ['PATH=/usr/bin']);
  assert.deepEqual(editProblems(form), {});
  assert.deepEqual(toEdit(form, before), before);
  assert.deepEqual(changesOf(before, toEdit(form, before)), []);
});

test('variables of the image cannot be taken away', () => {
  const form = toForm(before, ['PATH=/usr/bin']);
  assert.deepEqual(
    form.variables.map(({ name, declared }) => [name, declared !== undefined]),
    [
      ['PATH', true],
      ['EMPTY', false],
      ['BARE', false],
      ['MANY', false],
    ],
  );
});

test('changes are named one by one', () => {
  const after: ContainerEdit = {
    ...before,
    command: [],
    environment: ['PATH=/bin', 'EMPTY=no', 'MANY=a=b\nc', 'NEW=1'],
    ports: before.ports.slice(0, 1),
    mounts: [{ type: 'volume', source: 'data', target: '/data', readOnly: false }],
    pidsLimit: 9,
  };
  assert.deepEqual(
    changesOf(before, after).map(({ what, before: was, after: is }) => [what, was, is]),
    [
      ['Command', `sh -c 'echo "it'\\''s"  $HOME'`, 'the image’s own'],
      ['Port', '127.0.0.1:any free port → 53/udp', undefined],
      ['Variable', 'EMPTY=', 'EMPTY=no'],
      ['Variable', 'BARE', undefined],
      ['Variable', undefined, 'NEW=1'],
      ['Mount', 'volume data → /data (read-only)', 'volume data → /data'],
      ['Processes', 'no limit', '9'],
    ],
  );
});

test('only set limits and the restart policy are changed in place', () => {
  assert.equal(inPlace(before, { ...before, cpus: 2, pidsLimit: 5, restartPolicy: 'always' }), true);
  assert.equal(inPlace(before, { ...before, memoryBytes: 0 }), false);
  assert.equal(inPlace(before, { ...before, environment: [] }), false);
});

test('mounts are checked', () => {
  const form = toForm(before, []);
  const problem = (values: object) => {
    const found = editProblems({ ...form, mounts: form.mounts.map((row) => ({ ...row, ...values })) });
    return Object.values(found)[0];
  };
  assert.match(problem({ target: 'data' }) ?? '', /path from/);
  assert.match(problem({ source: 'a b' }) ?? '', /volume’s name/);
  assert.match(problem({ type: 'bind' }) ?? '', /folder in the VM/i);
  assert.equal(problem({ type: 'bind', source: '/srv/a b' }), undefined);
  const [row] = form.mounts;
  assert.ok(row);
  const twice = editProblems({ ...form, mounts: [row, { ...row, key: row.key + 1000 }] });
  assert.match(Object.values(twice)[0] ?? '', /mounted twice/);
});
