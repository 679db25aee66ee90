/** What is in an image's layers. Against the fake host. */
import type { Page } from '@playwright/test';
import { AppError } from '../../src-main/contract/errors.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

async function openLayers(page: Page): Promise<void> {
  await goTo(page, 'Images');
  await rowOf(page, 'nginx:1.29').getByText('nginx:1.29').click();
  await page.getByRole('tab', { name: /^Layers/ }).click();
}

const item = (page: Page, name: RegExp | string) => page.getByRole('treeitem', { name });

test('the files of a layer, a folder at a time, with what was done to them', async ({ page, host, open }) => {
  await open();
  await openLayers(page);
  await expect(item(page, /docker-entrypoint\.sh/)).toContainText('added');
  await page.getByRole('button', { name: /groupadd/ }).click();
  await expect(item(page, /^usr/)).toContainText(/3 added.*1 deleted/);
  await item(page, /^etc/).click();
  await expect(item(page, /motd/)).toContainText('deleted');
  await expect(item(page, /motd/)).toContainText('−700 B');
  await expect(item(page, /hosts/)).toContainText('modified');
  await expect(item(page, '<b>⟨202E⟩txt')).toBeVisible();
  await item(page, /^etc/).click();
  await expect(item(page, /motd/)).toBeHidden();
  // Layers never change: what was read is not read again.
  await item(page, /^etc/).click();
  await expect(item(page, /motd/)).toBeVisible();
  const asked = inputsOf(host, 'images.layerFolder').filter((input) => JSON.stringify(input).includes('"/etc"'));
  expect(asked).toHaveLength(1);
});

test('thousands of files are a few rows, and keys go through them', async ({ page, open }) => {
  await open();
  await openLayers(page);
  await page.getByRole('button', { name: /ADD file/ }).click();
  await expect(item(page, /^usr/)).toBeVisible();
  const tree = page.getByRole('tree');
  await tree.focus();
  await page.keyboard.press('ArrowRight');
  await expect(item(page, /bin/)).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(item(page, /tool-0/)).toBeVisible();
  expect(await page.getByRole('treeitem').count()).toBeLessThan(80);
  await page.keyboard.press('End');
  await expect(item(page, /^etc/)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByText('and 880 smaller ones')).toBeVisible();
  await page.keyboard.press('ArrowLeft');
  await expect(item(page, /bin/)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowLeft');
  await expect(item(page, /bin/)).toHaveAttribute('aria-expanded', 'false');
});

test('keys that are faster than what is read stay where they are', async ({ page, host, open }) => {
  await open();
  await openLayers(page);
  await page.getByRole('button', { name: /ADD file/ }).click();
  const etc = item(page, /^etc/);
  await expect(etc).toBeVisible();
  let goOn = (): void => undefined;
  host.layers.read = new Promise((resolve) => (goOn = resolve));
  await page.getByRole('tree').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowRight');
  await expect(item(page, 'Reading…')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await expect(etc).toHaveAttribute('aria-selected', 'true');
  goOn();
  await expect(item(page, 'Reading…')).toBeHidden();
  await expect(etc).toHaveAttribute('aria-selected', 'true');
});

test('wasted space, largest first, leads to the layer that brings it', async ({ page, open }) => {
  await open();
  await openLayers(page);
  await expect(page.getByRole('status').filter({ hasText: 'layers' })).toContainText('42.9 kB wasted');
  await page.getByRole('radio', { name: /^Wasted space/ }).click();
  const rows = page.getByRole('grid', { name: 'Wasted space' }).getByRole('row');
  await expect(rows.nth(1)).toContainText('/usr/share/doc/<b>all</b>.gz');
  await expect(rows.nth(1)).toContainText('layer 1, removed in 2');
  await expect(rows.nth(2)).toContainText('layer 1, replaced in 2');
  await rows.filter({ hasText: '/etc/hosts' }).click();
  await expect(page.getByRole('button', { name: /ADD file/ })).toHaveAttribute('aria-current', 'true');
  await expect(item(page, /hosts/)).toHaveAttribute('aria-selected', 'true');
});

test('a small window has room for the tables', async ({ page, open }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open();
  await openLayers(page);
  const edge = async (name: string) => {
    const box = await page
      .getByRole('grid', { name })
      .getByRole('row')
      .nth(1)
      .getByRole('gridcell')
      .last()
      .boundingBox();
    return (box?.x ?? 0) + (box?.width ?? 0);
  };
  await page.getByRole('radio', { name: /^Wasted space/ }).click();
  expect(await edge('Wasted space')).toBeLessThanOrEqual(900);
  await page.getByLabel('Search all layers').fill('motd');
  expect(await edge('Found in the layers')).toBeLessThanOrEqual(900);
});

test('a search tells which layers touch a file; nothing found is said', async ({ page, host, open }) => {
  await open();
  await openLayers(page);
  await page.getByLabel('Search all layers').fill('motd');
  const rows = page.getByRole('grid', { name: 'Found in the layers' }).getByRole('row');
  await expect(rows).toHaveCount(3);
  await expect(rows.nth(2)).toContainText('deleted');
  expect(inputsOf(host, 'images.searchLayers')).toHaveLength(1);
  await rows.nth(2).click();
  await expect(page.getByLabel('Search all layers')).toHaveValue('');
  await expect(item(page, /motd/)).toHaveAttribute('aria-selected', 'true');
  await page.getByLabel('Search all layers').fill('nothing like it');
  await expect(page.getByText('No file matches')).toBeVisible();
});

test('an engine that cannot tell leaves the commands and says why; a folder is tried again', async ({
  page,
  host,
  open,
}) => {
  host.failures.set('images.layers', new AppError('engine', 'compare the layers: overlayfs is needed'));
  host.failures.set('images.layerFolder', new AppError('engine', 'list /: the disk gave up'));
  await open();
  await openLayers(page);
  await expect(page.getByText('overlayfs is needed')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Layers' }).getByRole('listitem')).toHaveCount(5);
  host.failures.delete('images.layers');
  await page.getByRole('tab', { name: 'Overview' }).click();
  await page.getByRole('tab', { name: /^Layers/ }).click();
  await expect(item(page, /the disk gave up/)).toBeVisible();
  host.failures.delete('images.layerFolder');
  await page.getByRole('button', { name: /ADD file/ }).click();
  await expect(item(page, /^usr/)).toBeVisible();
});
