/**
 * A new user's first quarter of an hour, in the real window against the real VM, engine and registry: boot, pull, run with a
 * published port, logs, terminal, stop, remove. Every screen on the way is kept in test/e2e/screenshots.
 */
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, removeContainers, rowWith, test } from '../helpers/real-window.ts';
import type { Registry } from '../helpers/registry.ts';
import type { WherryHome } from '../helpers/wherry-cli.ts';

test.describe.configure({ mode: 'serial' });

let registry: Registry;
let home: WherryHome;
let page: Page;

test.beforeAll(async ({ real }) => {
  ({ registry, home } = real);
  page = await real.openPage();
});

test.afterAll(async ({ real }) => {
  await page.close();
  await removeContainers(real);
});

async function picture(name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.screenshot({
      path: path.join(import.meta.dirname, 'screenshots', `${name}-${scheme}.png`),
      animations: 'disabled',
    });
  }
}

const row = (text: string) => rowWith(page, text);

test('the window shows the boot, then that the engine is ready', async () => {
  await picture('boot');
  await expect(page.getByText('Run the starter container')).toBeVisible({ timeout: 150_000 });
  await picture('first-run');
});

test('the starter container runs with one click and no network', async () => {
  await page.getByText('Run the starter container').click();
  await expect(page.getByRole('tab', { name: 'Logs' })).toBeVisible();
  await page.getByRole('button', { name: 'Containers' }).first().click();
  await expect(row('wherry/starter')).toContainText(/Up|Running/);
});

test('an image is pulled with progress', async () => {
  await page.getByRole('navigation', { name: 'Main' }).getByText('Images').click();
  await page.getByRole('button', { name: /^Pull/ }).first().click();
  await page.getByLabel('Image', { exact: true }).fill(`${registry.host}/nginx:latest`);
  await page.getByRole('dialog').getByRole('button', { name: 'Pull', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Layers' }).getByRole('listitem').first()).toBeVisible();
  await picture('pull');
  await expect(page.getByRole('dialog', { name: 'Pulled' })).toBeVisible({ timeout: 120_000 });
  await page.keyboard.press('Escape');
  await expect(row('nginx')).toBeVisible();
  await picture('images');
});

test('an unknown image is a clear error', async () => {
  await page.getByRole('button', { name: /^Pull/ }).first().click();
  await page.getByLabel('Image', { exact: true }).fill(`${registry.host}/no-such-image`);
  await page.getByRole('dialog').getByRole('button', { name: 'Pull', exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'Could not pull' })).toContainText(
    /manifest unknown|not found|not exist/,
  );
  await page.keyboard.press('Escape');
});

test('it runs with a published port, and its page is there', async () => {
  await row('nginx').hover();
  await row('nginx').getByRole('button', { name: 'Run' }).click();
  const dialog = page.getByRole('dialog', { name: 'Run a container' });
  await dialog.getByLabel('Name').fill('harbour');
  await expect(dialog.getByLabel('Port in the container')).toHaveValue('80');
  await picture('run');
  await dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'harbour' })).toBeVisible();
  const link = page.getByRole('link', { name: /\d+/ }).first();
  const address = await link.getAttribute('href');
  // As a person reloads a page whose server is still starting.
  await expect.poll(() => fetch(address ?? '').then((answer) => answer.status, String)).toBe(200);
});

test('its log arrives while it is written', async () => {
  await home.docker(['exec', 'harbour', 'sh', '-c', 'echo "over the water" > /proc/1/fd/1']);
  await expect(page.getByText('over the water')).toBeVisible();
  await picture('logs');
});

test('a terminal in it takes what is typed, and survives a change of tab', async () => {
  await page.getByRole('tab', { name: /^Terminal/ }).click();
  await expect(page.locator('.xterm-rows')).toContainText(/[#$]/);
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('echo $((6 * 7)) knots\n');
  await expect(page.locator('.xterm-rows')).toContainText('42 knots');
  await page.getByRole('tab', { name: 'Inspect' }).click();
  await expect(page.getByRole('tree', { name: 'Inspect' })).toBeVisible();
  await picture('inspect');
  await page.getByRole('tab', { name: /^Terminal/ }).click();
  await expect(page.locator('.xterm-rows')).toContainText('42 knots');
  await picture('terminal');
});

test('a reload of the window finds the terminal again', async () => {
  await page.reload();
  await expect(page.locator('.xterm-rows')).toContainText('42 knots');
});

test('it is stopped and removed, with confirmation', async () => {
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByText(/Exited/).first()).toBeVisible();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: /^Remove/ }).click();
  await page
    .getByRole('dialog')
    .or(page.getByRole('alertdialog'))
    .getByRole('button', { name: 'Remove', exact: true })
    .click();
  await expect(row('wherry/starter').or(row('starter'))).toBeVisible();
  await expect(row('harbour')).toHaveCount(0);
  expect((await home.docker(['ps', '-aq', '--filter', 'name=harbour'])).stdout).toBe('');
  await picture('containers');
});

test('the engine screen tells stages and resources', async () => {
  await page.getByRole('navigation', { name: 'Main' }).getByText('Engine').click();
  await expect(page.getByRole('list', { name: 'Stages' })).toBeVisible();
  await expect(page.getByText(`export DOCKER_HOST=${home.dockerHost}`)).toBeVisible();
  await picture('engine');
});
