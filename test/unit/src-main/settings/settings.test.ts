import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Settings } from '../../../../src-main/contract/vm.ts';
import { checkSettings, defaultSettings, readSettings } from '../../../../src-main/settings/schema.ts';
import { SettingsStore } from '../../../../src-main/settings/store.ts';

const host = { cores: 8, memoryMiB: 16_384 };

async function paths(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-settings-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(path.join(folder, 'vm'));
  return {
    folder,
    settings: path.join(folder, 'settings.json'),
    vm: { dataDisk: path.join(folder, 'vm', 'data.qcow2') },
  };
}

test('defaults fit the machine', () => {
  assert.deepEqual(defaultSettings(host).vm, {
    cpus: 4,
    memoryMiB: 4096,
    diskGiB: 64,
    accelerator: 'auto',
    backend: 'auto',
  });
  assert.equal(defaultSettings({ cores: 1, memoryMiB: 2048 }).vm.cpus, 1);
  assert.equal(defaultSettings({ cores: 1, memoryMiB: 2048 }).vm.memoryMiB, 1024);
  assert.equal(defaultSettings({ cores: 64, memoryMiB: 262_144 }).vm.memoryMiB, 8192);
});

for (const [field, value, expected] of [
  ['cpus', 0, /vm\.cpus must be a whole number from 1 to 8, not 0/],
  ['cpus', 9, /vm\.cpus .* not 9/],
  ['cpus', 1.5, /vm\.cpus .* not 1\.5/],
  ['memoryMiB', 128, /vm\.memoryMiB must be a whole number from 512 to 15872, not 128/],
  ['memoryMiB', 16_384, /vm\.memoryMiB/],
  ['memoryMiB', Number.NaN, /vm\.memoryMiB/],
  ['diskGiB', 1, /vm\.diskGiB must be a whole number from 4 to 2048, not 1/],
  ['accelerator', 'turbo', /vm\.accelerator/],
] as const) {
  test(`vm.${field} = ${value} is refused, naming the bounds`, () => {
    const settings = defaultSettings(host);
    const wrong = { ...settings, vm: { ...settings.vm, [field]: value } } as Settings;
    assert.throws(() => checkSettings(wrong, host), { code: 'invalid-input', message: expected });
  });
}

test('a file from elsewhere or broken never stops Wherry', () => {
  assert.deepEqual(readSettings('{"vm":{"cpus"', host), defaultSettings(host));
  assert.deepEqual(readSettings('[]', host), defaultSettings(host));
  const other = readSettings('{"vm":{"cpus":32,"memoryMiB":100000},"onQuit":"stop","unknown":1}', host);
  assert.equal(other.vm.cpus, 8);
  assert.equal(other.vm.memoryMiB, 15_872);
  assert.equal(other.vm.diskGiB, 64);
  assert.equal(other.onQuit, 'stop');
});

for (const [values, expected] of [
  [{ fontSize: 7 }, /terminal\.fontSize must be a whole number from 8 to 32, not 7/],
  [{ fontSize: 12.5 }, /not 12\.5/],
  [{ fontSize: Number.NaN }, /terminal\.fontSize/],
  [{ fontFamily: 'Menlo; } body { display: none' }, /terminal\.fontFamily: names of fonts/],
  [{ fontFamily: "'Menlo" }, /names of fonts/],
  [{ fontFamily: 'Menlo,' }, /names of fonts/],
  [{ fontFamily: 'url(x)' }, /names of fonts/],
  [{ fontFamily: 'M'.repeat(201) }, /more than 200/],
] as const) {
  test(`terminal ${JSON.stringify(values).slice(0, 60)} is refused`, () => {
    const settings = defaultSettings(host);
    const wrong = { ...settings, terminal: { ...settings.terminal, ...values } };
    assert.throws(() => checkSettings(wrong, host), { code: 'invalid-input', message: expected });
  });
}

test('fonts are named as in CSS; a file with a wrong one is read with the default look', () => {
  const settings = defaultSettings(host);
  const fontFamily = ` "JetBrains Mono", 'Fira Code',Menlo, 等宽 `;
  const terminal = { ...settings.terminal, fontFamily, theme: 'black' as const };
  assert.equal(checkSettings({ ...settings, terminal }, host).terminal.fontFamily, fontFamily.trim());
  const read = (values: object) =>
    readSettings(JSON.stringify({ terminal: values, desktop: { notifications: false } }), host);
  assert.deepEqual(read({ fontSize: 16 }).terminal, { ...settings.terminal, fontSize: 16 });
  assert.deepEqual(read({ fontSize: 16, fontFamily: '}' }).terminal, settings.terminal);
  assert.deepEqual(read({}).desktop, { ...settings.desktop, notifications: false });
});

test('only where every desktop has a tray does closing hide the window unasked', () => {
  const closing = (platform: NodeJS.Platform) => defaultSettings(host, platform).desktop.onClose;
  assert.deepEqual([closing('linux'), closing('darwin'), closing('win32')], ['quit', 'hide', 'hide']);
});

test('a change is written whole, told, and says what takes a restart', async (t) => {
  const at = await paths(t);
  const store = await SettingsStore.open(at, host);
  const told: Settings[] = [];
  store.onChange((settings) => told.push(settings));
  const { current } = store;
  const next: Settings = { ...current, vm: { ...current.vm, cpus: 2 }, appearance: { theme: 'dark' } };
  assert.deepEqual(await store.set(next), { needsRestart: ['vm.cpus'] });
  const network = { ...next.network, registryMirrors: ['m.example'] };
  assert.deepEqual(await store.set({ ...next, network }), { needsRestart: ['network.registryMirrors'] });
  assert.deepEqual(await store.set(next), { needsRestart: ['network.registryMirrors'] });
  assert.deepEqual([told[0], told.at(-1)], [next, next]);
  assert.deepEqual((await SettingsStore.open(at, host)).current, next);
  assert.deepEqual((await readdir(at.folder)).toSorted(), ['settings.json', 'vm'], 'no temporary file stays');
});

test('changes at once all take effect in order', async (t) => {
  const at = await paths(t);
  const store = await SettingsStore.open(at, host);
  const sizes = [70, 80, 90, 100];
  await Promise.all(sizes.map((diskGiB) => store.set({ ...store.current, vm: { ...store.current.vm, diskGiB } })));
  assert.equal(store.current.vm.diskGiB, 100);
  assert.match(await readFile(at.settings, 'utf8'), /"diskGiB": 100/);
});

test('the disk only grows once there is one', async (t) => {
  const at = await paths(t);
  const store = await SettingsStore.open(at, host);
  const sized = (diskGiB: number): Settings => ({ ...store.current, vm: { ...store.current.vm, diskGiB } });
  await store.set(sized(16));
  await writeFile(at.vm.dataDisk, '');
  await assert.rejects(store.set(sized(8)), { code: 'invalid-input', message: /can only grow, from 16/ });
  await store.set(sized(32));
});
