import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '..', '..', '..', '..');

interface Builder {
  getConfig(folder: string, file: string, options: null): Promise<Record<string, unknown>>;
  validateConfiguration(config: unknown, logger: { isEnabled: boolean }): Promise<void>;
}

/** electron-builder's own loader and validator, which it runs before every build. */
function builder(): Builder {
  const fromBuilder = createRequire(createRequire(import.meta.url).resolve('electron-builder/package.json'));
  return fromBuilder('app-builder-lib/out/util/config/config.js') as Builder;
}

const load = () => builder().getConfig(root, 'electron-builder.yml', null);
const validate = (config: unknown) => builder().validateConfiguration(config, { isEnabled: false });

test('electron-builder accepts the configuration by its own schema', async () => {
  await validate(await load());
});

test('the schema is in force: a misspelt option is refused', async () => {
  const config = await load();
  await assert.rejects(validate({ ...config, electronFuses: { runAsNod: false } }), /electronFuses/);
  await assert.rejects(validate({ ...config, extraResource: [] }), /extraResource/);
});

test('every platform has its installers, the guest image goes along, and the fuses are set', async () => {
  const config = (await load()) as {
    mac: { target: { target: string }[] };
    win: { target: { target: string }[] };
    linux: { target: { target: string }[] };
    extraResources: { from: string; to: string }[];
    electronFuses: Record<string, boolean>;
    directories: { buildResources: string };
  };
  const targets = (['mac', 'win', 'linux'] as const).map((name) => config[name].target.map(({ target }) => target));
  assert.deepEqual(targets, [['dmg'], ['nsis'], ['AppImage', 'deb']]);
  assert.deepEqual(
    config.extraResources.map(({ from, to }) => [from, to]),
    [['dist/guest', 'guest']],
  );
  const fuses = config.electronFuses;
  assert.deepEqual(
    [fuses['runAsNode'], fuses['onlyLoadAppFromAsar'], fuses['enableNodeOptionsEnvironmentVariable']],
    [false, true, false],
  );
  const icon = readFileSync(path.join(root, config.directories.buildResources, 'icon.png'));
  assert.deepEqual([icon.readUInt32BE(16), icon.readUInt32BE(20)], [1024, 1024]);
});

test('the program that package.json names is one that the build makes, and its pictures are there', () => {
  const { main } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { main: string };
  assert.equal(main, 'dist/electron/main.cjs');
  for (const name of ['tray.png', 'tray@2x.png', 'trayTemplate.png', 'trayTemplate@2x.png']) {
    assert.ok(existsSync(path.join(root, 'src-main/electron/assets', name)), name);
  }
});
