/**
 * What a person does after the first run, in the real window against the real VM and engine; each step is checked with the
 * docker command. The VM is the first run's own.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { sam, startRegistry } from '../helpers/registry.ts';
import {
  docker as dockerOf,
  expect,
  openReadyPage,
  removeContainers,
  rowWith,
  starterImage as image,
  test,
} from '../helpers/real-window.ts';
import type { WherryHome } from '../helpers/wherry-cli.ts';
import { goTo, rowOf } from '../helpers/window-test.ts';

test.describe.configure({ mode: 'serial' });

/** A first process that does not listen for its stop signal would be waited for. */
const endsAtOnce = ['--stop-signal', 'KILL'];
let home: WherryHome;
let page: Page;

test.beforeAll(async ({ real }) => {
  ({ home } = real);
  page = await openReadyPage(real);
  const lantern = ['--name', 'lantern', '--env', 'OIL=whale', '--volume', 'hold:/hold'];
  await docker('run', '-d', ...endsAtOnce, ...lantern, image, 'sleep', '9999');
});

test.afterAll(async ({ real }) => {
  await page.close();
  await removeContainers(real);
  await home.docker(['volume', 'rm', 'hold']);
});

const docker = (...args: string[]): Promise<string> => dockerOf({ home }, ...args);

const row = (text: string) => rowWith(page, text);
const environmentOf = (name: string) => docker('inspect', '--format', '{{json .Config.Env}}', name);
const stateOf = (name: string) => docker('inspect', '--format', '{{.State.Status}}', name);

async function openEdit() {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Edit…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit lantern' });
  await expect(dialog.getByLabel('Value of OIL')).toBeVisible();
  return dialog;
}

test('an edited container is a new one with the same name and volumes, and goes back with one click', async () => {
  await docker('exec', 'lantern', 'sh', '-c', 'echo kept > /hold/note; echo layer > /layer-note');
  await goTo(page, 'Containers');
  await row('lantern').getByText('lantern', { exact: true }).click();
  const before = await docker('inspect', '--format', '{{.Id}}', 'lantern');
  const dialog = await openEdit();
  await dialog.getByLabel('Value of OIL').fill('colza');
  await expect(dialog.getByRole('list', { name: 'Changes' })).toContainText('OIL=colza');
  await dialog.getByRole('button', { name: 'Apply in a new container' }).click();
  await expect(page.getByText('This container was edited. Is it right?')).toBeVisible();
  expect(await environmentOf('lantern')).toContain('OIL=colza');
  expect(await docker('exec', 'lantern', 'cat', '/hold/note')).toBe('kept');
  expect(await docker('inspect', '--format', '{{.Id}}', 'lantern')).not.toBe(before);
  await page.getByRole('button', { name: 'Go back' }).click();
  await expect(page.getByText('Put back lantern as it was')).toBeVisible();
  await expect(page.getByText('This container was edited')).toHaveCount(0);
  expect(await docker('inspect', '--format', '{{.Id}}', 'lantern')).toBe(before);
  expect(await stateOf('lantern')).toBe('running');
  expect(await environmentOf('lantern')).toContain('OIL=whale');
  expect(await docker('exec', 'lantern', 'cat', '/layer-note')).toBe('layer');
});

test('an edit that cannot start leaves all as it was', async () => {
  await docker('run', '-d', '--name', 'wreck', '-p', '127.0.0.1:18099:80', image, 'sleep', '9999');
  const before = await docker('inspect', '--format', '{{.Id}}', 'lantern');
  const dialog = await openEdit();
  await dialog.getByRole('button', { name: 'Publish a port' }).click();
  await dialog.getByLabel('Port on this computer').fill('18099');
  await dialog.getByLabel('Port in the container').fill('80');
  await dialog.getByRole('button', { name: 'Apply in a new container' }).click();
  await expect(dialog.getByRole('alert')).toContainText('18099');
  expect(await docker('inspect', '--format', '{{.Id}}', 'lantern')).toBe(before);
  expect(await stateOf('lantern')).toBe('running');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await docker('rm', '-f', 'wreck');
});

test('limits change in place, and a kept edit leaves one container', async () => {
  const limits = await openEdit();
  await limits.getByLabel('Memory').fill('64m');
  await limits.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(page.getByText('Changed lantern')).toBeVisible();
  expect(await docker('inspect', '--format', '{{.HostConfig.Memory}}', 'lantern')).toBe(String(64 * 1024 * 1024));
  const dialog = await openEdit();
  await dialog.getByLabel('Value of OIL').fill('petroleum');
  await dialog.getByRole('button', { name: 'Apply in a new container' }).click();
  await page.getByRole('button', { name: 'Keep the change' }).click();
  await expect(page.getByText('Kept the edited lantern')).toBeVisible();
  expect((await docker('ps', '-a', '--format', '{{.Names}}', '--filter', 'name=lantern')).split('\n')).toEqual([
    'lantern',
  ]);
  expect(await docker('inspect', '--format', '{{.HostConfig.Memory}}', 'lantern')).toBe(String(64 * 1024 * 1024));
});

test('a network is made, joined under one more name, left and removed', async () => {
  await goTo(page, 'Networks');
  await page.getByRole('button', { name: 'Create network' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('quay');
  await dialog.getByLabel('Subnet').fill('172.29.7.0/24');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'quay', level: 1 })).toBeVisible();
  expect(await docker('network', 'inspect', '--format', '{{(index .IPAM.Config 0).Subnet}}', 'quay')).toBe(
    '172.29.7.0/24',
  );
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await dialog.getByLabel('Container').selectOption('lantern');
  await dialog.getByLabel('Other names').fill('beacon');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByText('Connected lantern to quay')).toBeVisible();
  await expect(page.getByText('172.29.7.2')).toBeVisible();
  expect(await docker('run', '--rm', '--network', 'quay', image, 'ping', '-c', '1', '-W', '5', 'beacon')).toContain(
    '172.29.7.2',
  );
  await expect(page.getByRole('button', { name: 'Remove', exact: true })).toBeDisabled();
  await page.getByRole('button', { name: 'Disconnect lantern' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click();
  await expect(page.getByText('No container is on it.')).toBeVisible();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Removed quay')).toBeVisible();
  expect((await home.docker(['network', 'inspect', 'quay'])).code).not.toBe(0);
});

test('a volume is made with a label and removed; one in use stays', async () => {
  await goTo(page, 'Volumes');
  // Made by the container's own start: nobody asked for it here.
  await expect(row('hold')).toBeVisible();
  await page.getByRole('button', { name: 'Create volume' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('ballast');
  await dialog.getByRole('button', { name: 'Add a label' }).click();
  await dialog.getByLabel('Label', { exact: true }).fill('cargo');
  await dialog.getByLabel('Value of cargo').fill('stone');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'ballast', level: 1 })).toBeVisible();
  expect(await docker('volume', 'inspect', '--format', '{{.Labels.cargo}}', 'ballast')).toBe('stone');
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Removed ballast')).toBeVisible();
  expect((await home.docker(['volume', 'inspect', 'ballast'])).code).not.toBe(0);
  await row('hold').getByText('hold', { exact: true }).click();
  await expect(page.getByRole('button', { name: /^lantern/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove', exact: true })).toBeDisabled();
});

test('the feed tells what happened, also to what is gone, and what happens now', async () => {
  await goTo(page, 'Events');
  const rows = page.getByRole('log', { name: 'Events' }).getByRole('listitem');
  for (const [name, what] of [
    ['ballast', 'removed'],
    ['quay', 'disconnected'],
    ['lantern', 'changed'],
  ] as const) {
    await page.getByLabel('Filter by name or action').fill(name);
    await expect(rows.filter({ hasText: what }).first()).toBeVisible();
  }
  await page.getByLabel('Filter by name or action').fill('lantern');
  await docker('pause', 'lantern');
  await expect(rows.first()).toContainText('paused');
  await docker('unpause', 'lantern');
  await expect(rows.first()).toContainText('resumed');
});

test('a project is one group: stopped, started and removed as one', async () => {
  for (const service of ['sail', 'oar']) {
    const labels = { project: 'fleet', service };
    const flags = Object.entries(labels).flatMap(([key, value]) => ['--label', `com.docker.compose.${key}=${value}`]);
    await docker('run', '-d', ...endsAtOnce, '--name', `fleet-${service}-1`, ...flags, image, 'sleep', '9999');
  }
  await goTo(page, 'Containers');
  const head = row('of 2 running');
  await expect(head).toContainText('2 of 2 running');
  await head.getByRole('button', { name: 'Stop all of fleet' }).click();
  await expect(head).toContainText('0 of 2 running');
  expect(await stateOf('fleet-oar-1')).toBe('exited');
  await head.getByRole('button', { name: 'Start all of fleet' }).click();
  await expect(head).toContainText('2 of 2 running');
  await head.getByRole('button', { name: 'More actions on fleet' }).click();
  await page.getByRole('menuitem', { name: 'Remove all…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Stop and remove' }).click();
  await expect(page.getByText('Removed 2 containers')).toBeVisible();
  expect(await docker('ps', '-aq', '--filter', 'name=fleet')).toBe('');
});

test('an image gets one more name, and loses it again', async () => {
  await goTo(page, 'Images');
  await row('wherry/starter').hover();
  await row('wherry/starter').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Add a name…' }).click();
  await page.getByLabel('New name').fill('registry.example/fleet/lamp:2');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByText('Tagged as registry.example/fleet/lamp:2')).toBeVisible();
  await expect(page.getByText('registry.example/fleet/lamp:2').first()).toBeVisible();
  expect(await docker('image', 'inspect', '--format', '{{.Id}}', 'registry.example/fleet/lamp:2')).toBe(
    await docker('image', 'inspect', '--format', '{{.Id}}', image),
  );
  await docker('rmi', 'registry.example/fleet/lamp:2');
  await expect(row('registry.example/fleet/lamp:2')).toHaveCount(0);
});

test('an image is built from a folder, runs, is pushed, saved, and loaded again', async ({ real }) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-context-'));
  const name = `${real.registry.host}/fleet/cargo:1`;
  try {
    await writeFile(
      path.join(folder, 'Dockerfile'),
      `FROM ${image}\nCOPY . /cargo\nRUN cat /cargo/list.txt\nCMD ["ls", "/cargo"]\n`,
    );
    await writeFile(path.join(folder, '.dockerignore'), 'left-out\nDockerfile\n.dockerignore\n');
    await writeFile(path.join(folder, 'list.txt'), 'tea and timber\n');
    await writeFile(path.join(folder, 'left-out'), 'x');
    await goTo(page, 'Images');
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Folder').setInputFiles(folder);
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'Build', exact: true }).click();
    await expect(page.getByText('The image is here')).toBeVisible({ timeout: 60_000 });
    await page.getByRole('button', { name: '1 line' }).click();
    await expect(page.getByLabel('Output')).toContainText('tea and timber');
    await page.keyboard.press('Escape');
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(await docker('run', '--rm', name)).toBe('list.txt');

  await row('fleet/cargo').hover();
  await row('fleet/cargo').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Push…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Push', exact: true }).click();
  await expect(page.getByText('The registry has it')).toBeVisible();
  await page.keyboard.press('Escape');
  const tags = await fetch(`${real.registry.url}/v2/fleet/cargo/tags/list`);
  expect(await tags.json()).toEqual({ name: 'fleet/cargo', tags: ['1'] });

  await row('fleet/cargo').getByText('fleet/cargo').first().click();
  await page.getByRole('tab', { name: /^Layers/ }).click();
  await expect(page.getByRole('list', { name: 'Layers' }).getByRole('listitem').first()).toContainText(
    'Also in wherry/starter',
  );
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Save to a file' }).click();
  const archive = await (await waiting).path();
  const before = await docker('image', 'inspect', '--format', '{{.Id}}', name);
  await docker('rmi', name);
  await goTo(page, 'Images');
  await expect(row('fleet/cargo')).toHaveCount(0);
  await page.getByLabel('Load').setInputFiles(archive);
  await expect(row('fleet/cargo')).toBeVisible();
  expect(await docker('image', 'inspect', '--format', '{{.Id}}', name)).toBe(before);
});

test('files of a container: looked at, and put in, also when it is stopped', async () => {
  await goTo(page, 'Containers');
  await row('lantern').getByText('lantern', { exact: true }).click();
  await page.getByRole('tab', { name: 'Files' }).click();
  await rowOf(page, 'hold').getByText('hold', { exact: true }).click();
  await rowOf(page, 'note').getByText('note', { exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'note' })).toContainText('kept');
  await page.keyboard.press('Escape');
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: '/', exact: true }).click();
  await docker('stop', 'lantern');
  await page.getByLabel('Upload').setInputFiles({ name: 'ship’s log', mimeType: '', buffer: Buffer.from('fair wind') });
  await expect(rowOf(page, 'ship’s log')).toBeVisible();
  await docker('start', 'lantern');
  expect(await docker('exec', 'lantern', 'cat', '/ship’s log')).toBe('fair wind');
});

test('a registry behind a password is logged in to, browsed, and pulled from by a tag that it offered', async () => {
  await using registry = await startRegistry({ 'crew/box:1.0': 'busybox', 'crew/box:latest': 'busybox' }, sam);
  await goTo(page, 'Registries');
  await page.getByRole('button', { name: 'Log in' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Log in to a registry' });
  await dialog.getByLabel('Registry').fill(registry.host);
  await dialog.getByLabel('User name').fill(sam.user);
  await dialog.getByLabel('Password or access token').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('Check the user name and the password');
  await dialog.getByLabel('Password or access token').fill(sam.password);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, registry.host)).toContainText('Works');
  expect((await stat(path.join(home.path, 'secrets.json'))).mode & 0o777).toBe(0o600);

  await rowOf(page, registry.host).getByText(registry.host).click();
  await rowOf(page, 'crew/box').getByText('crew/box').click();
  await expect(rowOf(page, '1.0')).toBeVisible();

  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Pull image' }).click();
  const field = page.getByRole('combobox', { name: 'Image' });
  await field.fill(`${registry.host}/crew/box:`);
  await expect(page.getByRole('option')).toHaveText(['latest', '1.0']);
  await field.press('ArrowDown');
  await field.press('ArrowDown');
  await field.press('Enter');
  await field.press('Enter');
  await expect(page.getByRole('dialog').getByRole('button', { name: 'Run' })).toBeVisible();
  await page.keyboard.press('Escape');
  await docker('rmi', `${registry.host}/crew/box:1.0`);

  await goTo(page, 'Registries');
  await rowOf(page, registry.host).focus();
  await page.keyboard.press('Delete');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('No logins yet')).toBeVisible();
});
