/** The engine and its settings, changed from the window before the real VM; last of all everything is reset. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from '@playwright/test';
import {
  docker as dockerOf,
  expect,
  openReadyPage,
  removeContainers,
  rowWith,
  starterImage as image,
  test,
} from '../helpers/real-window.ts';
import { runProgram, type WherryHome } from '../helpers/wherry-cli.ts';
import { goTo } from '../helpers/window-test.ts';

test.describe.configure({ mode: 'serial' });

let home: WherryHome;
let page: Page;
const docker = (...args: string[]): Promise<string> => dockerOf({ home }, ...args);

test.beforeAll(async ({ real }) => {
  ({ home } = real);
  page = await openReadyPage(real);
  const always = ['--restart', 'unless-stopped', '--volume', 'hold:/hold'];
  await docker('run', '-d', '--name', 'keeper', '--stop-signal', 'KILL', ...always, image, 'sleep', '9999');
  await docker('exec', 'keeper', 'sh', '-c', 'echo kept > /hold/note');
});

test.afterAll(async ({ real }) => {
  await page.close();
  await removeContainers(real);
});

/** By the container itself, once its policy has started it again. */
const keptNote = async (): Promise<string> =>
  (await home.docker(['exec', 'keeper', 'cat', '/hold/note'])).stdout.trim();

const status = () => page.getByRole('region', { name: 'Engine status' });

async function openSettings(): Promise<void> {
  await goTo(page, 'Engine');
  await page.getByRole('radio', { name: 'Settings' }).click();
}

test('the doctor looks at the real parts, and a report has no secrets', async () => {
  await goTo(page, 'Engine');
  await page.getByRole('button', { name: 'Check everything' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: /disk/i }).first()).toBeVisible();
  await expect(page.getByText(/^All works/)).toBeVisible();
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save a report' }).click();
  const report = await readFile(await (await waiting).path(), 'utf8');
  expect(report).toContain('wherry: stage engine');
  expect(report).not.toMatch(/PRIVATE KEY|token=/);
});

test('the docker context is registered for the stock CLI, and removed', async () => {
  await openSettings();
  await page.getByRole('button', { name: 'Register' }).click();
  await expect(page.getByText('docker context use wherry')).toBeVisible();
  const byContext = (...args: string[]) => runProgram('docker', ['--context', 'wherry', ...args], { env: home.env });
  expect((await byContext('ps', '--format', '{{.Names}}')).stdout).toContain('keeper');
  await page.getByRole('button', { name: 'Remove the context' }).click();
  await expect(page.getByRole('button', { name: 'Register' })).toBeVisible();
  expect((await byContext('ps')).code).not.toBe(0);
});

test('memory, disk and mirrors are changed, and the engine restarted with them; containers come back', async ({
  real,
}) => {
  await openSettings();
  const network = page.locator('form').filter({ has: page.getByLabel('Mirrors of Docker Hub') });
  await network.getByLabel('Mirrors of Docker Hub').fill(real.registry.host);
  await network.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Restart the engine for these to take effect: network')).toBeVisible();
  const disk = page.getByLabel('Disk');
  const grown = Number(await disk.inputValue()) + 8;
  await disk.fill(String(grown));
  await page.getByLabel('Memory').fill('1.5');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await expect(page.getByText('Restart the engine for these to take effect: vm.memoryMiB, vm.diskGiB')).toBeVisible();
  await page.getByRole('button', { name: 'Restart' }).last().click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Restart' }).click();
  await expect(status()).not.toContainText('Engine ready');
  await expect(status()).toContainText('Engine ready', { timeout: 150_000 });
  await expect.poll(keptNote, { timeout: 60_000 }).toBe('kept');
  const memory = Number(await docker('info', '--format', '{{.MemTotal}}'));
  expect(memory).toBeGreaterThan(1.3 * 2 ** 30);
  expect(memory).toBeLessThan(1.6 * 2 ** 30);
  // From the mirror: Docker Hub itself is out of reach here.
  await docker('pull', 'busybox');
  await docker('rmi', 'busybox');
  const blocks = await docker('exec', 'keeper', 'df', '-k', '/hold');
  expect(Number(blocks.trim().split('\n').at(-1)?.split(/\s+/)[1])).toBeGreaterThan((grown - 1) * 2 ** 20);
});

test('a VM that dies is told, and started again with all it held', async () => {
  const record = JSON.parse(await readFile(path.join(home.path, 'vm', 'vm.json'), 'utf8')) as {
    process: { pid: number };
  };
  process.kill(record.process.pid, 'SIGKILL');
  await goTo(page, 'Engine');
  await expect(status()).not.toContainText('Engine ready');
  await page.getByRole('main').getByRole('button', { name: 'Start' }).last().click();
  await expect(status()).toContainText('Engine ready', { timeout: 150_000 });
  await expect.poll(keptNote, { timeout: 60_000 }).toBe('kept');
});

test('a reset leaves an engine as on the first day', async () => {
  await openSettings();
  await page.getByRole('button', { name: 'Reset…' }).click();
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText('1 container');
  await question.getByLabel('Type “reset” to go on').fill('reset');
  await question.getByRole('button', { name: 'Remove everything' }).click();
  await goTo(page, 'Engine');
  await expect(status()).toContainText('Engine ready', { timeout: 150_000 });
  await goTo(page, 'Containers');
  await expect(page.getByText('Run the starter container')).toBeVisible({ timeout: 60_000 });
  await expect(rowWith(page, 'keeper')).toHaveCount(0);
  expect(await docker('volume', 'ls', '-q')).toBe('');
});
