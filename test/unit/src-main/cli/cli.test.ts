import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { quoteForShell } from '../../../../src-main/cli/commands/ssh.ts';
import { apply } from '../../../../src-main/cli/commands/settings.ts';
import { StageProgress } from '../../../../src-main/cli/progress.ts';
import type { VmView } from '../../../../src-main/contract/vm.ts';
import { defaultSettings } from '../../../../src-main/settings/schema.ts';
import { ViewModel } from '../../../../src-main/vm/view.ts';

const main = path.resolve('src-main/cli/main.ts');
let home: string;

before(() => {
  home = mkdtempSync(path.join(tmpdir(), 'wherry-cli-'));
});
after(() => rmSync(home, { recursive: true, force: true }));

function wherry(...args: string[]) {
  const ended = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, WHERRY_HOME: home, WHERRY_GUEST_IMAGE: path.join(home, 'none') },
  });
  return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

test('wrong usage ends with 2 and names what is wrong', () => {
  assert.deepEqual(wherry('fly').code, 2);
  assert.match(wherry('fly').stderr, /no command 'fly'/);
  assert.match(wherry('up', '--fast').stderr, /Unknown option '--fast'/);
  assert.equal(wherry('settings', 'vm.wings=2').code, 2);
  assert.equal(wherry('logs', 'engine').code, 2);
  assert.equal(wherry('diagnose', 'a', 'b').code, 2);
  const reset = wherry('reset');
  assert.equal(reset.code, 2);
  assert.match(
    reset.stderr,
    /removes all images, containers and volumes for good\. If you mean it: wherry reset --yes/,
  );
});

test('help names every command but the hidden one, and each has its own', () => {
  const general = wherry('--help');
  assert.equal(general.code, 0);
  assert.match(general.stdout, /^ {2}doctor {2}/m);
  assert.doesNotMatch(general.stdout, /^ {2}host {2}/m);
  assert.match(wherry('up', '--help').stdout, /^Usage: wherry up/);
});

test('with nothing running, status says so with 3, and down is harmless', () => {
  const status = wherry('status', '--json');
  assert.equal(status.code, 3);
  const { owner, ready, vm } = JSON.parse(status.stdout) as { owner: unknown; ready: boolean; vm: unknown };
  assert.deepEqual([owner, ready, vm], [null, false, null]);
  assert.equal(wherry('down').code, 0);
  assert.equal(wherry('ssh').code, 1);
});

test('a VM that sleeps is told by status, sleep and the doctor, which leave it asleep', () => {
  assert.match(wherry('sleep').stderr, /put the VM to sleep: it is not running\n.*wherry up/);
  const vm = path.join(home, 'vm');
  writeFileSync(path.join(vm, 'sleep.state'), 'memory');
  const disk = { sizeBytes: '1', inode: '2', modifiedNs: '3', changedNs: '4' };
  const record = {
    ...{
      version: 1,
      backend: 'qemu',
      accelerator: 'kvm',
      cpus: 1,
      memoryMiB: 512,
      imageId: 'i',
      fingerprint: 'f',
      disk,
    },
    ...{ state: { sizeBytes: 6, checksum: 1 }, savedAtMs: 1 },
  };
  writeFileSync(path.join(vm, 'sleep.json'), JSON.stringify(record));
  try {
    assert.match(wherry('status').stdout, /^VM: +asleep, with no Wherry attached; wake it with: wherry up$/m);
    assert.match(wherry('sleep', '--json').stdout, /"asleep":true/);
    assert.match(wherry('doctor').stdout, /^✓ process +asleep: [^]*^- docker socket +the VM is asleep$/m);
  } finally {
    for (const name of ['sleep.state', 'sleep.json']) rmSync(path.join(vm, name));
  }
});

test('settings are changed within their bounds, and kept', () => {
  assert.equal(wherry('settings', 'vm.cpus=1', 'onQuit=stop').code, 0);
  assert.match(wherry('settings').stdout, /^vm\.cpus=1$[^]*^onQuit=stop$/m);
  const refused = wherry('settings', 'vm.cpus=100000', '--json');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /"code":"invalid-input"/);
  assert.match(refused.stderr, /whole number from 1 to/);
});

test('pools of addresses are kept in one form, or refused', () => {
  assert.equal(wherry('settings', 'network.addressPools=10.66.1.0/16:24,10.67.0.0/16:26').code, 0);
  assert.match(wherry('settings').stdout, /^network\.addressPools=10\.66\.0\.0\/16:24,10\.67\.0\.0\/16:26$/m);
  assert.match(
    wherry('settings', 'network.addressPools=10.66.0.0/16').stderr,
    /no pool of IPv4[^]*What to do: .*10\.10/,
  );
  assert.equal(wherry('settings', 'network.addressPools=').code, 0);
});

test('the docker context is added and removed without an owner, where DOCKER_CONFIG says', () => {
  const env = { ...process.env, WHERRY_HOME: home, DOCKER_CONFIG: path.join(home, 'docker') };
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', main, 'context', ...args], { encoding: 'utf8', env });
  assert.match(run().stdout, /is not registered/);
  assert.match(run('add').stdout, /To use it: docker context use wherry/);
  assert.match(run('--json').stdout, new RegExp(`"host":"unix://${home}/docker.sock"`));
  assert.deepEqual(JSON.parse(run('remove', '--json').stdout), { wasCurrent: false });
  assert.equal(run('fly').status, 2);
  assert.equal(run('remove', '--replace').status, 2);
});

test('the doctor names the missing image as the broken stage', () => {
  const ended = wherry('doctor');
  assert.equal(ended.code, 1);
  assert.match(ended.stdout, /✗ system image/);
  assert.match(ended.stdout, /Broken: system image\./);
});

test('a report for a bug is printed, or written for its owner only', () => {
  const printed = wherry('diagnose');
  assert.equal(printed.code, 0);
  assert.match(printed.stdout, /== About[^]*== Settings[^]*== Doctor/);
  const file = path.join(home, 'report.txt');
  assert.match(wherry('diagnose', file).stdout, /^Written to .*report\.txt\.$/m);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('up without an image fails with what to do, and its background owner can be ended', () => {
  const ended = wherry('up');
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /What to do: .*npm run image/);
  assert.match(wherry('status').stdout, /failed: open the guest image/);
  assert.equal(wherry('down').code, 0);
  assert.match(wherry('status').stdout, /Owner: +none/);
});

test('a change names a field there is, and keeps its kind', () => {
  const settings = defaultSettings({ cores: 4, memoryMiB: 8192 });
  assert.equal(apply(settings, [['vm.cpus', '3']]).vm.cpus, 3);
  const lists = apply(settings, [
    ['network.registryMirrors', 'a.example,b.example'],
    ['network.insecureRegistries', ''],
  ]);
  assert.deepEqual(lists.network.registryMirrors, ['a.example', 'b.example']);
  assert.deepEqual(lists.network.insecureRegistries, []);
  assert.deepEqual(apply(settings, [['desktop.startAtLogin', 'true']]).desktop.startAtLogin, true);
  assert.throws(() => apply(settings, [['desktop.notifications', 'no']]), /true or false, not 'no'/);
  assert.ok(Number.isNaN(apply(settings, [['terminal.fontSize', '']]).terminal.fontSize));
  assert.equal(apply(settings, [['appearance.theme', 'dark']]).appearance.theme, 'dark');
  assert.equal(settings.vm.cpus, 4, 'the old value stays');
  for (const field of ['vm', 'vm.', 'nothing', 'vm.cpus.x.y', '__proto__.x', 'onQuit.x']) {
    assert.throws(() => apply(settings, [[field, '1']]), /no setting/, field);
  }
});

test('words of a command reach the guest’s shell as they are', () => {
  assert.equal(quoteForShell('/bin/ls'), '/bin/ls');
  assert.equal(quoteForShell("it's; rm -rf $HOME"), `'it'\\''s; rm -rf $HOME'`);
  assert.equal(quoteForShell(''), "''");
});

test('falling asleep and waking up are progress too', () => {
  let written = '';
  const model = new ViewModel('unix:///d');
  const progress = new StageProgress({ isTerminal: false, write: (text) => void (written += text) });
  model.onChange((view) => progress.update(view));
  for (const event of [{ kind: 'asleep' }, { kind: 'resume', atMs: 1 }, { kind: 'ready', atMs: 2 }] as const) {
    model.apply(event);
  }
  model.apply({ kind: 'sleep' });
  assert.match(written, /^… Waking the VM\n(✓.*\n)?… Saving the state of the VM\n$/);
});

test('progress shows each stage once, live on a terminal only', () => {
  for (const isTerminal of [false, true]) {
    let written = '';
    const progress = new StageProgress({ isTerminal, write: (text) => (written += text) });
    let nowMs = 0;
    const model = new ViewModel('/d', () => (nowMs += 1000));
    const views: VmView[] = [];
    model.onChange((view) => views.push(view));
    model.apply({ kind: 'start', atMs: 0 });
    model.stage('prepare', 'Preparing the disks');
    model.stage('process', 'Starting the VM');
    model.stage('process', 'Starting the VM');
    for (const view of views) progress.update(view);
    progress.end();
    assert.equal(written.split('✓ Preparing the disks').length, 2);
    assert.equal(written.includes('\r'), isTerminal);
    if (!isTerminal) assert.equal(written.split('… Starting the VM').length, 2);
  }
});
