/** A volume's files, and whole volumes: cloned, exported, imported, weighed before they go. Against the fake host. */
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

async function openVolume(page: Page, name: string): Promise<void> {
  await goTo(page, 'Volumes');
  await rowOf(page, name).getByText(name).click();
}

test('the files of a volume that nobody mounts: looked at, taken out and put in', async ({ page, host, open }) => {
  await open();
  await openVolume(page, 'old_backup');
  await page.getByRole('tab', { name: 'Files' }).click();
  await rowOf(page, 'etc').getByText('etc').click();
  await rowOf(page, 'hostname').getByText('hostname').click();
  await expect(page.getByRole('dialog', { name: 'hostname' })).toContainText('web');
  await page.keyboard.press('Escape');
  // There is no image to compare with.
  await expect(page.getByRole('radio', { name: /^Changed/ })).toBeHidden();
  expect(inputsOf(host, 'files.list').at(-1)).toEqual({ place: { volume: 'old_backup' }, path: '/etc' });
  await page.getByLabel('Upload', { exact: true }).setInputFiles({
    ...{ name: 'hello.txt', mimeType: 'text/plain' },
    buffer: Buffer.from('over the water'),
  });
  await expect(rowOf(page, 'hello.txt')).toBeVisible();
  const waiting = page.waitForEvent('download');
  await rowOf(page, 'hello.txt').hover();
  await rowOf(page, 'hello.txt')
    .getByRole('button', { name: /^Download/ })
    .click();
  expect(await readFile(await (await waiting).path(), 'utf8')).toBe('over the water');
});

test('a clone is named, warns of who writes, and is told in the activity', async ({ page, host, open }) => {
  host.volumeTransfers.stepMs = 40;
  await open();
  await openVolume(page, 'web-data');
  await page.getByRole('button', { name: 'Clone' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Name of the new volume')).toHaveValue('web-data-copy');
  await expect(dialog).toContainText('Running containers may write to it meanwhile');
  await dialog.getByLabel('Name of the new volume').fill('no good');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('Only letters, digits');
  await dialog.getByLabel('Name of the new volume').fill('old_backup');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('there is a volume named old_backup already');
  await dialog.getByLabel('Name of the new volume').fill('web-data-2');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page.getByText('Cloned web-data as web-data-2').first()).toBeVisible();
  await goTo(page, 'Volumes');
  await expect(rowOf(page, 'web-data-2')).toBeVisible();
});

test('a clone that nobody writes to has no warning; one that fails says why', async ({ page, open }) => {
  await open();
  await openVolume(page, 'old_backup');
  await page.getByRole('button', { name: 'Clone' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).not.toContainText('meanwhile');
  await dialog.getByLabel('Name of the new volume').fill('disk-full');
  await page.keyboard.press('Enter');
  await expect(page.getByText('no space left on device').first()).toBeVisible();
});

test('a volume is exported to a file', async ({ page, open }) => {
  await open();
  await openVolume(page, 'web-data');
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Export to a file' }).click();
  const file = await waiting;
  expect(file.suggestedFilename()).toBe('web-data.tar');
  expect(await readFile(await file.path(), 'utf8')).toBe('all of web-data');
});

test('a volume is made of a file, under a name that is free; what is no archive makes none', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Volumes');
  const choose = (name: string, content: string) =>
    page
      .getByLabel('Import', { exact: true })
      .setInputFiles({ name, mimeType: 'application/x-tar', buffer: Buffer.from(content) });
  await choose('web-data.tar.gz', 'files');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Name of the new volume')).toHaveValue('web-data');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog).toContainText('There is a volume of that name already.');
  await dialog.getByLabel('Name of the new volume').fill('restored');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(rowOf(page, 'restored')).toBeVisible();
  expect(host.volumeTransfers.imported.get('restored')).toBe('files');
  await choose('broken.tar', 'broken');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(page.getByText('the archive is truncated').first()).toBeVisible();
  await expect(rowOf(page, 'broken')).toBeHidden();
});

test('what a removal takes is weighed first', async ({ page, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await expect(rowOf(page, 'old_backup')).toContainText('10.0 MB');
  await openVolume(page, 'old_backup');
  await expect(page.getByText('10.0 MB')).toBeVisible();
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('alertdialog')).toContainText('All files in it are lost, 10.0 MB.');
});
