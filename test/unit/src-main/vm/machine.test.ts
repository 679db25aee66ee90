/** The VM service over a back end whose guests are in this process: every path but QEMU itself is real. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { AppError } from '../../../../src-main/contract/errors.ts';
import type { VmView } from '../../../../src-main/contract/vm.ts';
import { prepareHome } from '../../../../src-main/home.ts';
import { Link } from '../../../../src-main/link/link.ts';
import { SettingsStore } from '../../../../src-main/settings/store.ts';
import { Machine } from '../../../../src-main/vm/machine.ts';
import { readRecord } from '../../../../src-main/vm/record.ts';
import { FakeBackend, FakeVm, writeTinyImage, type FakeBackendOptions } from '../../../helpers/fake-backend.ts';

async function setUp(t: TestContext, options: Omit<FakeBackendOptions, 'paths'> = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-machine-'));
  const paths = await prepareHome(path.join(folder, 'home'));
  const imageFolder = await writeTinyImage(path.join(folder, 'guest'));
  const settings = await SettingsStore.open(paths);
  const backend = new FakeBackend({ ...options, paths });
  const made: { machine: Machine; link: Link }[] = [];
  const newMachine = (): Machine => {
    const link = new Link();
    const machine = new Machine({
      paths,
      settings,
      link,
      chooseBackend: () => backend,
      imageFolder,
      extraDisks: [],
      devImage: false,
    });
    made.push({ machine, link });
    return machine;
  };
  t.after(async () => {
    for (const { machine, link } of made) {
      await machine[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
    }
    for (const vm of backend.vms) await vm.die('test over');
    await rm(folder, { recursive: true, force: true });
  });
  return { machine: newMachine(), newMachine, backend, paths, folder };
}

function kinds(machine: Machine): string[] {
  const seen: string[] = [];
  machine.onChange((view) => {
    const { state } = view;
    const text = state.kind === 'stopping' ? `stopping ${state.step}` : state.kind;
    if (seen.at(-1) !== text) seen.push(text);
  });
  return seen;
}

/** Kinds, with the step of a sleep. */
function steps(machine: Machine): string[] {
  const seen: string[] = [];
  machine.onChange(({ state }) => {
    const text = state.kind === 'sleeping' ? `sleeping ${state.step}` : state.kind;
    if (seen.at(-1) !== text) seen.push(text);
  });
  return seen;
}

async function until(machine: Machine, reached: (view: VmView) => boolean): Promise<void> {
  if (reached(machine.view)) return;
  await new Promise<void>((resolve) => {
    const end = machine.onChange((view) => {
      if (!reached(view)) return;
      end();
      resolve();
    });
  });
}

test('boots through every stage to ready, and stops when the guest is asked', async (t) => {
  const { machine, backend, paths } = await setUp(t);
  const seen = kinds(machine);
  await machine.start();
  assert.equal(machine.view.state.kind, 'ready');
  assert.equal(machine.view.link, 'up');
  assert.deepEqual(new Set(machine.view.stages.map((stage) => stage.state)), new Set(['done']));
  assert.equal((await readRecord(paths.vm.record))?.name, backend.vms[0]?.record.name);
  await machine.stop();
  assert.deepEqual(seen, ['booting', 'ready', 'stopping guest', 'absent']);
  assert.deepEqual(backend.vms[0]?.log, ['shutdown']);
  await assert.rejects(readFile(paths.vm.record), { code: 'ENOENT' });
  assert.equal(machine.stoppedOnPurpose, true);
});

test('two starts at once are one boot', async (t) => {
  const { machine, backend } = await setUp(t);
  await Promise.all([machine.start(), machine.start()]);
  await machine.start();
  assert.equal(backend.starts, 1);
});

test('leaving one’s wait does not end the boot for others', async (t) => {
  const { machine } = await setUp(t);
  const controller = new AbortController();
  const first = machine.start(controller.signal);
  const second = machine.start();
  controller.abort(new Error('not me'));
  await assert.rejects(first, { message: 'not me' });
  await second;
  assert.equal(machine.view.state.kind, 'ready');
});

test('a failed boot is tried once more, and the second failure is shown with its stage', async (t) => {
  const { machine, backend } = await setUp(t, {
    onStart: () => {
      throw new AppError('vm-failed', 'start QEMU: no room', { hint: 'Make room.' });
    },
  });
  await assert.rejects(machine.start(), { code: 'vm-failed', hint: 'Make room.' });
  assert.equal(backend.starts, 2);
  assert.deepEqual(machine.view.state, {
    kind: 'failed',
    stage: 'process',
    message: 'start QEMU: no room',
    hint: 'Make room.',
  });
});

test('a boot that fails once becomes ready by itself', async (t) => {
  const { machine } = await setUp(t, {
    onStart: (attempt) => {
      if (attempt === 1) throw new AppError('vm-failed', 'hung');
    },
  });
  await machine.start();
  assert.equal(machine.view.state.kind, 'ready');
});

test('what the guest itself calls broken is not tried again, and leaves nothing running', async (t) => {
  const { machine, backend } = await setUp(t, {
    disk: () => ({ state: 'failed', detail: 'not a disk of ours', hint: 'Look at it.' }),
  });
  await assert.rejects(machine.start(), { code: 'vm-failed', hint: 'Look at it.' });
  assert.equal(backend.starts, 1);
  assert.equal(backend.vms[0]?.alive, false);
  assert.equal(machine.view.state.kind, 'failed');
});

test('a stop during the boot ends it', async (t) => {
  const { machine, backend } = await setUp(t, { disk: () => ({ state: 'starting', detail: 'checking' }) });
  const refused = assert.rejects(machine.start(), { code: 'cancelled' });
  await until(machine, (view) => view.state.kind === 'booting' && view.state.stage === 'disk');
  await machine.stop();
  await refused;
  assert.equal(machine.view.state.kind, 'absent');
  assert.equal(backend.vms[0]?.alive, false);
});

test('a VM that dies is told as a failure, and can be started again', async (t) => {
  const { machine, backend, paths } = await setUp(t);
  await machine.start();
  await backend.vms[0]?.die('qemu: killed');
  await until(machine, (view) => view.state.kind === 'failed');
  assert.match(JSON.stringify(machine.view.state), /qemu: killed/);
  await until(machine, (view) => view.link === 'none');
  while (await readFile(paths.vm.record).catch(() => undefined)) await new Promise((resolve) => setImmediate(resolve));
  await machine.start();
  assert.equal(machine.view.state.kind, 'ready');
  assert.equal(backend.starts, 2);
});

test('another process attaches to the VM that runs, without starting one', async (t) => {
  const { machine, newMachine, backend } = await setUp(t);
  await machine.start();
  await machine[Symbol.asyncDispose]();
  const second = newMachine();
  assert.equal(await second.hasRunningVm(), true);
  await second.start();
  assert.equal(second.view.state.kind, 'ready');
  assert.equal(backend.starts, 1);
});

test('a stop without having attached asks the guest all the same', async (t) => {
  const { machine, newMachine, backend } = await setUp(t);
  await machine.start();
  await machine[Symbol.asyncDispose]();
  const second = newMachine();
  await second.stop();
  const [vm] = backend.vms;
  assert.deepEqual([vm?.log, vm?.alive], [['shutdown'], false]);
  assert.equal(second.view.state.kind, 'absent');
});

test('a stop of a VM whose guest cannot be reached presses the power button', async (t) => {
  const { machine, newMachine, backend } = await setUp(t);
  await machine.start();
  await machine[Symbol.asyncDispose]();
  await backend.vms[0]?.guest[Symbol.asyncDispose]();
  const second = newMachine();
  const seen = kinds(second);
  await second.stop();
  assert.deepEqual(backend.vms[0]?.log, ['power button']);
  assert.equal(seen.at(-2), 'stopping power-button');
  assert.equal(second.view.state.kind, 'absent');
});

test('a reset asks the guest to end, removes the disk and boots with an empty one', async (t) => {
  const atStart: boolean[] = [];
  const { machine, backend, paths } = await setUp(t, {
    onStart: (attempt) => {
      if (attempt === 2) atStart.push(existsSync(paths.vm.dataDisk));
    },
  });
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'everything');
  await machine.reset();
  assert.deepEqual(backend.vms[0]?.log, ['shutdown']);
  assert.deepEqual([machine.view.state.kind, backend.starts, atStart], ['ready', 2, [false]]);
  assert.ok(existsSync(paths.vm.clientKey), 'keys stay');
});

test('a reset during the boot ends that first', async (t) => {
  const { machine, backend } = await setUp(t, {
    onStart: (attempt, signal) =>
      attempt > 1
        ? undefined
        : new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('ended')))),
  });
  const first = machine.start();
  const ended = assert.rejects(first, { code: 'cancelled' });
  while (backend.starts === 0) await new Promise((resolve) => setImmediate(resolve));
  await machine.reset();
  await ended;
  assert.deepEqual([machine.view.state.kind, backend.starts], ['ready', 2]);
});

test('mend rebuilds a dead link and leaves the VM alone', async (t) => {
  const { machine, backend } = await setUp(t);
  await machine.start();
  backend.vms[0]?.guest.cut();
  await machine.mend();
  assert.equal(machine.view.state.kind, 'ready');
  assert.equal(backend.starts, 1);
});

test('sleeps: the state is written, the process gone; a start restores it once and lets it run on', async (t) => {
  const { machine, backend, paths } = await setUp(t);
  const seen = steps(machine);
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await machine.sleep(false);
  const [first] = backend.vms;
  assert.deepEqual(first?.log, ['save', 'kill']);
  assert.deepEqual(machine.view.state, { kind: 'sleeping', step: 'saved' });
  assert.equal(machine.view.link, 'none');
  assert.equal(machine.stoppedOnPurpose, false, 'a docker client may wake it');
  assert.equal(existsSync(paths.vm.record), false);
  await machine.sleep(false);
  await Promise.all([machine.start(), machine.start()]);
  assert.deepEqual(backend.restores, ['all of its memory']);
  assert.deepEqual(backend.vms[1]?.log, ['go', 'wake']);
  assert.equal(backend.starts, 1);
  assert.equal((await readRecord(paths.vm.record))?.name, first.record.name);
  for (const file of [paths.vm.savedState, paths.vm.savedRecord]) assert.equal(existsSync(file), false);
  assert.deepEqual(seen, ['booting', 'ready', 'sleeping saving', 'sleeping saved', 'resuming', 'ready']);
});

test('the state does not count any more before the guest runs on', async (t) => {
  const { machine, backend, paths } = await setUp(t);
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await machine.sleep(false);
  const present: boolean[] = [];
  t.mock.method(FakeVm.prototype, 'go', () => {
    present.push(existsSync(paths.vm.savedRecord));
    return Promise.resolve();
  });
  await machine.start();
  assert.deepEqual(present, [false]);
  assert.equal(existsSync(paths.vm.savedState), false, 'and gone in the end');
  assert.equal(backend.restores.length, 1);
});

for (const [what, change, reason] of [
  ['a disk that was written to', ({ paths }) => writeFile(paths.vm.dataDisk, 'more on the disk'), /disk has changed/],
  ['another QEMU', ({ backend }) => void (backend.version = '8.0.0'), /program.*has changed/],
  ['another image', ({ folder }) => writeTinyImage(path.join(folder, 'guest'), '2'), /system image has changed/],
  ['a state that is cut', ({ paths }) => writeFile(paths.vm.savedState, 'all of'), /damaged or gone/],
  ['a record that is none', ({ paths }) => writeFile(paths.vm.savedRecord, '{"version":1'), /damaged or gone/],
  ['no state at all', ({ paths }) => rm(paths.vm.savedState), /damaged or gone/],
] as readonly [string, (set: Awaited<ReturnType<typeof setUp>>) => unknown, RegExp][]) {
  test(`${what}: the state is dropped, and the VM boots with a word about it`, async (t) => {
    const set = await setUp(t);
    const { machine, backend, paths } = set;
    await machine.start();
    await writeFile(paths.vm.dataDisk, 'disk');
    await machine.sleep(false);
    await change(set);
    await machine.start();
    assert.deepEqual([machine.view.state.kind, backend.starts, backend.restores.length], ['ready', 2, 0]);
    assert.match(machine.view.warnings[0]?.message ?? '', reason);
    for (const file of [paths.vm.savedState, paths.vm.savedRecord]) assert.equal(existsSync(file), false);
  });
}

test('a state that QEMU does not take, or a guest that does not come back, is a boot', async (t) => {
  const { machine, backend, paths } = await setUp(t, {
    onRestore: () => {
      throw new AppError('vm-failed', 'load of migration failed');
    },
  });
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await machine.sleep(false);
  await machine.start();
  assert.deepEqual([machine.view.state.kind, backend.starts], ['ready', 2]);
  assert.match(machine.view.warnings[0]?.message ?? '', /load of migration failed/);
});

test('a save that fails leaves the guest running, and the link comes back', async (t) => {
  const { machine, backend, paths } = await setUp(t, {
    onSave: () => {
      throw new AppError('vm-failed', 'no space left');
    },
  });
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  const before = machine.view.state;
  await assert.rejects(machine.sleep(false), { message: 'no space left' });
  assert.deepEqual(machine.view.state, before);
  assert.deepEqual(backend.vms[0]?.log, ['save', 'go']);
  await until(machine, (view) => view.link === 'up');
  assert.equal(existsSync(paths.vm.savedRecord), false);
});

test('a VM that dies while it is saved is told as a failure; the next start boots', async (t) => {
  const { machine, backend, paths } = await setUp(t, {
    onSave: async (vm) => {
      await vm.die('qemu: killed');
      throw new AppError('vm-failed', 'the monitor is closed');
    },
  });
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await assert.rejects(machine.sleep(false), { message: 'the monitor is closed' });
  await until(machine, (view) => view.state.kind === 'failed');
  await machine.start();
  assert.deepEqual([machine.view.state.kind, backend.starts], ['ready', 2]);
});

test('a stop during the save ends the save and then the guest', async (t) => {
  const { machine, backend, paths } = await setUp(t, {
    onSave: (_vm, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('ended')))),
  });
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  const refused = assert.rejects(machine.sleep(false), /ended|stopped meanwhile/);
  await until(machine, (view) => view.state.kind === 'sleeping');
  await machine.stop();
  await refused;
  assert.equal(machine.view.state.kind, 'absent');
  assert.deepEqual(backend.vms[0]?.log.slice(0, 2), ['save', 'go']);
});

test('a guest that is doing something is left alone, with its words', async (t) => {
  const { machine, backend } = await setUp(t, {
    doing: (url) => (url.endsWith('idle=true') ? 'a shell' : 'a pull'),
  });
  await machine.start();
  const seen = steps(machine);
  await assert.rejects(machine.sleep(false), { code: 'conflict', message: 'put the VM to sleep: a pull is under way' });
  await assert.rejects(machine.sleep(true), { code: 'conflict', message: 'put the VM to sleep: a shell is under way' });
  assert.deepEqual([seen, backend.vms[0]?.log], [[], []], 'nobody noticed');
});

test('a VM that was started by another QEMU cannot sleep', async (t) => {
  const { machine, backend } = await setUp(t);
  await machine.start();
  backend.version = '8.0.0';
  await assert.rejects(machine.sleep(false), { code: 'unsupported', hint: /Restart the VM/ });
  await assert.rejects(
    setUp(t).then(({ machine: absent }) => absent.sleep(false)),
    { code: 'vm-absent' },
  );
});

test('the next host finds it asleep; a stop wakes it to stop its containers; a reset does not', async (t) => {
  const { machine, newMachine, backend, paths } = await setUp(t);
  await machine.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await machine.sleep(false);
  await machine[Symbol.asyncDispose]();
  const second = newMachine();
  const seen = steps(second);
  await second.findSleeping();
  await second.stop();
  assert.deepEqual(backend.vms[1]?.log, ['go', 'wake', 'shutdown']);
  assert.deepEqual(seen, ['sleeping saved', 'resuming', 'ready', 'stopping', 'absent']);
  await second.start();
  await writeFile(paths.vm.dataDisk, 'disk');
  await second.sleep(false);
  await second.reset();
  assert.deepEqual([second.view.state.kind, backend.restores.length, backend.starts], ['ready', 1, 3]);
});

test('a VM left halted by a host that died while saving it is let go on, and that state never counts', async (t) => {
  const { machine, newMachine, backend, paths } = await setUp(t);
  await machine.start();
  await machine[Symbol.asyncDispose]();
  const [vm] = backend.vms;
  assert.ok(vm);
  vm.state = 'paused';
  await writeFile(paths.vm.savedRecord, '{}');
  const second = newMachine();
  await second.start();
  assert.deepEqual([vm.log, vm.state, backend.starts], [['go'], 'running', 1]);
  assert.equal(existsSync(paths.vm.savedRecord), false);
});
