/** Images pushed, saved, loaded and built, and their layers. Against the fake host. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

async function chooseOf(page: Page, image: string, item: string): Promise<void> {
  await rowOf(page, image).getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

const archive = (name: string, content = 'manifest.json') => ({
  name,
  mimeType: 'application/x-tar',
  buffer: Buffer.from(content),
});

test('an image is pushed under the name that is chosen, layer by layer', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Images');
  await chooseOf(page, 'nginx:1.29', 'Push…');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('It goes to Docker Hub');
  await dialog.getByLabel('Name').selectOption('nginx:latest');
  await dialog.getByRole('button', { name: 'Push' }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await expect(dialog).toContainText('Already there');
  await expect(dialog).toContainText('The registry has it');
  expect(inputsOf(host, 'images.push')).toEqual([{ reference: 'nginx:latest' }]);
});

test('a push that is denied says so and can be tried again', async ({ page, host, open }) => {
  host.images.set(
    host.images.current.map((image) => ({
      ...image,
      tags: image.tags.map((tag) => `localhost/denied-${tag.replaceAll('/', '-')}`),
    })),
  );
  await open();
  await goTo(page, 'Images');
  await chooseOf(page, 'localhost/denied-postgres:17', 'Push…');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('It goes to localhost');
  await dialog.getByRole('button', { name: 'Push' }).click();
  await expect(dialog.getByRole('alert')).toContainText('wants a login');
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => inputsOf(host, 'images.push')).toHaveLength(2);
});

test('an image is saved to a file with its progress in the activity', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Images');
  const waiting = page.waitForEvent('download');
  await chooseOf(page, 'registry.example.org/shop/worker:2026.11.4', 'Save to a file');
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText('shop/worker');
  const saved = await waiting;
  expect(saved.suggestedFilename()).toBe('registry.example.org-shop-worker-2026.11.4.tar');
  const bytes = await readFile(await saved.path());
  expect(bytes.equals(Buffer.concat(Array.from({ length: 20 }, (_, part) => Buffer.alloc(100_000, part))))).toBe(true);
  await expect(page.getByText('Saved registry.example.org/shop/worker:2026.11.4')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page.getByRole('dialog')).toContainText('2.00 MB in');
  expect(inputsOf(host, 'images.save')).toHaveLength(1);
});

test('a save that is cancelled saves nothing', async ({ page, host, open }) => {
  host.transfers.stepMs = 200;
  await open();
  await goTo(page, 'Images');
  let downloads = 0;
  page.on('download', () => (downloads += 1));
  await chooseOf(page, 'postgres:17', 'Save to a file');
  await page.getByRole('button', { name: 'Cancel: Saving postgres:17' }).click();
  await expect(page.getByRole('button', { name: 'Show: Cancelled saving postgres:17' })).toBeVisible();
  await expect(page.getByText('Could not save')).toHaveCount(0);
  expect(downloads).toBe(0);
});

test('archives are loaded by the button and by dropping them, byte for byte', async ({ page, host, open }) => {
  host.transfers.stepMs = 1;
  await open();
  await goTo(page, 'Images');
  const large = `manifest.json${'x'.repeat(5_000_000)}`;
  await page.getByLabel('Load').setInputFiles(archive('large.tar', large));
  await expect(page.getByText('Loaded large.tar')).toBeVisible();
  expect(host.transfers.received.get('large.tar')?.toString()).toBe(large);
  await expect(rowOf(page, 'shop/loaded:1')).toBeVisible();
  await page.evaluate(() => {
    const held = new DataTransfer();
    held.items.add(new File(['manifest.json'], 'dropped.tar'));
    const zone = document.querySelector('.drop-zone');
    for (const type of ['dragenter', 'dragover']) {
      zone?.dispatchEvent(new DragEvent(type, { dataTransfer: held, bubbles: true, cancelable: true }));
    }
  });
  await expect(page.getByText('Load the images in these archives')).toBeVisible();
  await page.evaluate(() => {
    const held = new DataTransfer();
    held.items.add(new File(['manifest.json'], 'dropped.tar'));
    document
      .querySelector('.drop-zone')
      ?.dispatchEvent(new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText('Load the images in these archives')).toBeHidden();
  await expect(page.getByText('Loaded dropped.tar')).toBeVisible();
});

test('what is no archive of images, and names that would break a page, are told and inert', async ({ page, open }) => {
  await open();
  await goTo(page, 'Images');
  const files = hostileNames.slice(0, 3).map((name) => archive(name.replaceAll('/', '∕'), 'nothing'));
  await page.getByLabel('Load').setInputFiles(files);
  await expect(page.getByText('there is no image in it').first()).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page.getByRole('dialog').getByText('An archive of images is made with Save').first()).toBeVisible();
});

test.describe('a build', () => {
  let folder: string;

  test.beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-build-'));
    await mkdir(path.join(folder, 'node_modules/a'), { recursive: true });
    await writeFile(path.join(folder, 'Dockerfile'), 'FROM debian:trixie-slim\nCOPY . /app\n');
    await writeFile(path.join(folder, '.dockerignore'), 'node_modules\n');
    await writeFile(path.join(folder, 'main.c'), 'int main() { return 0; }\n');
    await writeFile(path.join(folder, 'node_modules/a/index.js'), 'no');
  });

  test.afterEach(() => rm(folder, { recursive: true }));

  async function fillIn(page: Page, name = 'shop/app:2') {
    await goTo(page, 'Images');
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Folder').setInputFiles(folder);
    await expect(dialog).toContainText('1 file left out by .dockerignore');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    return dialog;
  }

  test('sends the folder without what is ignored, tells each step, and offers to run', async ({ page, host, open }) => {
    await open();
    const dialog = await fillIn(page);
    await dialog.getByRole('button', { name: 'Add an argument' }).click();
    await dialog.getByLabel('Variable', { exact: true }).fill('MODE');
    await dialog.getByLabel('Value of MODE').fill('fast');
    await dialog.getByLabel('Use no cache').check();
    await dialog.getByRole('button', { name: 'Build', exact: true }).click();
    const steps = dialog.getByRole('list', { name: 'Steps' }).getByRole('listitem');
    await expect(steps).toHaveCount(4);
    await expect(dialog).toContainText('The image is here');
    await expect(steps.nth(1).getByLabel('From the cache')).toBeVisible();
    await steps.nth(2).getByRole('button', { name: '2 lines' }).click();
    await expect(steps.nth(2)).toContainText('<img src=x onerror="window.hacked=1">');
    await expect(steps.nth(2)).toContainText('⟨202E⟩esrever');
    const sent = host.transfers.received.get('shop/app:2')?.toString() ?? '';
    expect(sent).toContain('int main()');
    expect(sent).not.toContain('node_modules/a');
    const [wanted] = inputsOf(host, 'images.build');
    expect(wanted).toMatchObject({
      reference: 'shop/app:2',
      dockerfile: 'Dockerfile',
      arguments: { MODE: 'fast' },
      noCache: true,
    });
    await dialog.getByRole('button', { name: 'Run' }).click();
    await expect(page.getByRole('dialog').getByLabel('Image')).toHaveValue('shop/app:2');
  });

  test('asks for what is missing before anything is sent', async ({ page, host, open }) => {
    await open();
    await goTo(page, 'Images');
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Not A Name');
    await dialog.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(dialog.getByText('Choose the folder to build from.')).toBeVisible();
    await expect(dialog.getByText('A name has no spaces.')).toBeVisible();
    await dialog.getByLabel('Folder').setInputFiles(folder);
    await dialog.getByLabel('Name', { exact: true }).fill('');
    await dialog.getByLabel('Dockerfile').fill('dev/Dockerfile');
    await dialog.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(dialog.getByText('There is no dev/Dockerfile in the folder.')).toBeVisible();
    expect(inputsOf(host, 'images.build')).toEqual([]);
  });

  test('goes on while the window is reloaded, and is cancelled from the activity', async ({ page, host, open }) => {
    host.transfers.stepMs = 500;
    await open();
    const dialog = await fillIn(page);
    await dialog.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(dialog.getByText('FROM debian:trixie-slim', { exact: true })).toBeVisible();
    // The list of steps says it, and nothing else does again.
    await expect(dialog.getByText(/^Step \d/)).toHaveCount(0);
    await page.reload();
    await page.getByRole('button', { name: 'Show: Building shop/app:2' }).click();
    await expect(dialog.getByText('FROM debian:trixie-slim', { exact: true })).toBeVisible();
    await dialog.getByRole('button', { name: 'Cancel the build' }).click();
    await expect(page.getByRole('dialog', { name: 'Cancelled' })).toBeVisible();
    expect(host.images.current.some(({ tags }) => tags.includes('shop/app:2'))).toBe(false);
  });

  test('that fails shows the step, what it printed and why', async ({ page, host, open }) => {
    host.transfers.buildFailure = "The command '/bin/sh -c make' returned a non-zero code: 2";
    await open();
    const dialog = await fillIn(page);
    await dialog.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(dialog.getByRole('alert')).toContainText('returned a non-zero code: 2');
    const last = dialog.getByRole('list', { name: 'Steps' }).getByRole('listitem').last();
    await expect(last.getByLabel('Failed')).toBeVisible();
    await expect(last).toContainText('cc -O2 -o app main.c');
    await dialog.getByRole('button', { name: 'Build again' }).click();
    await expect(page.getByRole('dialog').getByLabel('Name', { exact: true })).toHaveValue('shop/app:2');
  });

  test('waits for the engine with what was typed', async ({ page, host, open }) => {
    await open();
    const dialog = await fillIn(page);
    host.setState({ kind: 'absent' });
    await expect(dialog.getByRole('button', { name: 'Build', exact: true })).toBeDisabled();
    await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('shop/app:2');
  });
});

test('the layers say what made them, what they weigh, and who else stands on them', async ({ page, open }) => {
  await open();
  await goTo(page, 'Images');
  await rowOf(page, 'nginx:1.29').getByText('nginx:1.29').click();
  await page.getByRole('tab', { name: /^Layers/ }).click();
  const layers = page.getByRole('list', { name: 'Layers' }).getByRole('listitem');
  await expect(layers).toHaveCount(5);
  await expect(page.getByRole('status').filter({ hasText: 'layers' })).toContainText('3 layers, 192 MB');
  await expect(layers.first()).toContainText('Also in debian:trixie-slim, shop/⟨202E⟩exe, <b>x</b> and 2 more');
  await expect(layers.nth(1)).toContainText('settings only');
  await expect(layers.nth(2)).toContainText('Only in this image');
  await expect(layers.nth(2)).toContainText('113 MB');
});
