/** Long work: it survives the dialog, the screen and the window; it is told with speed and result; it can be cancelled. */
import type { Page } from '@playwright/test';
import { AppError } from '../../src-main/contract/errors.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

async function pull(page: Page, reference: string): Promise<void> {
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Pull image' }).click();
  await page.getByRole('dialog').getByLabel('Image').fill(reference);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Pull an image' })).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
}

test('work goes on when the window is reloaded, and every window tells it', async ({ page, fake, host, open }) => {
  host.objects.pullStepMs = 200;
  await open();
  await pull(page, 'python:3.14');
  await page.reload();
  const activity = page.getByRole('region', { name: 'Activity' });
  await expect(activity).toContainText('python:3.14');
  const second = await page.context().newPage();
  await second.goto(fake.url);
  await expect(second.getByRole('region', { name: 'Activity' })).toContainText('python:3.14');
  host.objects.pullStepMs = 1;
  await expect(page.getByText('Pulled python:3.14')).toBeVisible();
  await goTo(second, 'Images');
  await expect(rowOf(second, 'python:3.14')).toBeVisible();
  expect(inputsOf(host, 'images.pull')).toHaveLength(1);
});

test('a clean-up of images says what comes back before, and what came back after', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Clean up' }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByRole('radio', { name: 'All unused' }).click();
  await expect(dialog).toContainText('Between 60.9 MB and 1.24 GB come back');
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  host.failures.set('images.prune', new AppError('engine', 'remove the images: the disk is read-only'));
  await dialog.getByRole('button', { name: 'Remove 2 images' }).click();
  await expect(dialog).toContainText('the disk is read-only');
  host.failures.clear();
  await dialog.getByRole('button', { name: 'Remove 2 images' }).click();
  await expect(page.getByText('Removed all unused images')).toBeVisible();
  await expect(rowOf(page, 'wherry/starter:latest')).toBeHidden();
  await expect(rowOf(page, 'postgres:17')).toBeVisible();
  await page.getByRole('button', { name: 'Show: Removed all unused images' }).click();
  await expect(page.getByRole('dialog', { name: 'Activity' })).toContainText('60.9 MB came back');
});

test('an image gets one more name, and a name that moves is said before', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Images');
  await rowOf(page, 'postgres:17').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: /name/ }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('New name').fill('Not A Name');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('A name has no spaces.')).toBeVisible();
  await dialog.getByLabel('New name').fill('nginx');
  await expect(dialog.getByText('Another image has this name and loses it.')).toBeVisible();
  await dialog.getByLabel('New name').fill('shop/db:1');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Tagged as shop/db:1')).toBeVisible();
  expect(inputsOf(host, 'images.tag')).toEqual([
    { id: host.images.current.find(({ tags }) => tags.includes('postgres:17'))?.id, reference: 'shop/db:1' },
  ]);
});
