/** What is kept in the real VM: volumes' files, copies and archives; what is in an image's layers; what a clean-up gives back. */
import { readFile, writeFile } from 'node:fs/promises';
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
import type { WherryHome } from '../helpers/wherry-cli.ts';
import { goTo, rowOf } from '../helpers/window-test.ts';

test.describe.configure({ mode: 'serial' });

let home: WherryHome;
let page: Page;
const docker = (...args: string[]): Promise<string> => dockerOf({ home }, ...args);
const inVolume = (name: string, script: string): Promise<string> =>
  docker('run', '--rm', '-v', `${name}:/hold`, image, 'sh', '-c', script);

test.beforeAll(async ({ real }) => {
  ({ home } = real);
  page = await openReadyPage(real);
  await docker('volume', 'create', 'ledger');
  await inVolume(
    'ledger',
    'mkdir /hold/1866; echo "tea 40 chests" > /hold/1866/cargo.txt; chown -R 1000:1000 /hold/1866',
  );
});

test.afterAll(async ({ real }) => {
  await page.close();
  await removeContainers(real);
  await home.docker(['volume', 'prune', '-af']);
});

async function openVolume(name: string): Promise<void> {
  await goTo(page, 'Volumes');
  await rowOf(page, name).getByText(name, { exact: true }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

test('the files of a volume that nobody mounts are read, edited and added to', async () => {
  await openVolume('ledger');
  await page.getByRole('tab', { name: 'Files' }).click();
  await rowOf(page, '1866').getByText('1866', { exact: true }).click();
  await rowOf(page, 'cargo.txt').getByText('cargo.txt').click();
  const dialog = page.getByRole('dialog', { name: 'cargo.txt' });
  await expect(dialog).toContainText('tea 40 chests');
  await dialog.getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Text of the file').fill('tea 41 chests\n');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved cargo.txt')).toBeVisible();
  await page.getByLabel('Upload', { exact: true }).setInputFiles({
    ...{ name: 'crew list.txt', mimeType: 'text/plain' },
    buffer: Buffer.from('mate, cook'),
  });
  await expect(rowOf(page, 'crew list.txt')).toBeVisible();
  const kept = await inVolume('ledger', 'cd /hold/1866; cat cargo.txt "crew list.txt"; stat -c " %u" cargo.txt');
  expect(kept).toBe('tea 41 chests\nmate, cook 1000');
});

test('a volume is cloned, and the clone lives its own life', async () => {
  await openVolume('ledger');
  await page.getByRole('button', { name: 'Clone' }).click();
  await page.getByRole('dialog').getByLabel('Name of the new volume').fill('ledger-copy');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Cloned ledger as ledger-copy').first()).toBeVisible();
  await inVolume('ledger-copy', 'grep -q 41 /hold/1866/cargo.txt && echo "tea 0" > /hold/1866/cargo.txt');
  expect(await inVolume('ledger', 'cat /hold/1866/cargo.txt')).toBe('tea 41 chests');
});

test('a volume is exported, removed, and made anew of the file', async () => {
  await openVolume('ledger');
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Export to a file' }).click();
  const file = await waiting;
  const kept = path.join(home.path, file.suggestedFilename());
  await writeFile(kept, await readFile(await file.path()));
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Removed ledger', { exact: true })).toBeVisible();
  await page.getByLabel('Import', { exact: true }).setInputFiles(kept);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Name of the new volume')).toHaveValue('ledger');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(rowOf(page, 'ledger')).toBeVisible();
  await expect
    .poll(() => inVolume('ledger', 'cat /hold/1866/cargo.txt; stat -c %u /hold/1866'))
    .toBe('tea 41 chests\n1000');
});

test('the layers of an image tell their files and what is wasted', async () => {
  const steps = [
    `FROM ${image}`,
    'RUN mkdir /hold && dd if=/dev/zero of=/hold/ballast bs=1k count=300 && echo deck > /hold/plan',
    'RUN rm /hold/ballast && echo hull > /hold/plan',
  ];
  const built = await home.docker(['build', '-q', '-t', 'barge', '-'], {
    input: `${steps.join('\n')}\n`,
    env: { DOCKER_BUILDKIT: '0' },
  });
  expect(built.code, built.stderr).toBe(0);
  await goTo(page, 'Images');
  await rowWith(page, 'barge')
    .getByText(/^barge/)
    .first()
    .click();
  await page.getByRole('tab', { name: /^Layers/ }).click();
  const hold = page.getByRole('treeitem', { name: /^hold/ });
  await page.getByRole('button', { name: /rm \/hold\/ballast/ }).click();
  await hold.click();
  await expect(page.getByRole('treeitem', { name: /ballast/ })).toContainText('deleted');
  await expect(page.getByRole('treeitem', { name: /plan/ })).toContainText('modified');
  await page.getByRole('radio', { name: /^Wasted space/ }).click();
  const wasted = page.getByRole('grid', { name: 'Wasted space' }).getByRole('row');
  await expect(wasted.nth(1)).toContainText('/hold/ballast');
  await wasted.filter({ hasText: '/hold/ballast' }).click();
  await expect(page.getByRole('button', { name: /dd if=\/dev\/zero/ })).toHaveAttribute('aria-current', 'true');
});

test('a clean-up shows what goes, takes exactly that, and tells what came back', async () => {
  await docker('run', '-d', '--name', 'anchor', '--stop-signal', 'KILL', image, 'sleep', '9999');
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Clean up' }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByRole('radio', { name: 'All unused' }).click();
  await expect(dialog).toContainText('barge');
  await expect(dialog).not.toContainText('wherry/starter');
  await dialog.getByRole('button', { name: /^Remove \d+ image/ }).click();
  await expect(page.getByText('Removed all unused images')).toBeVisible();
  await page.getByRole('button', { name: 'Show: Removed all unused images' }).click();
  await expect(page.getByRole('dialog', { name: 'Activity' })).toContainText(/[1-9]\d* kB came back/);
  await page.keyboard.press('Escape');
  expect(await docker('images', '--format', '{{.Repository}}')).toBe('wherry/starter');
});

test('a pull goes on when its dialog and its window are left', async ({ real }) => {
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Pull image' }).click();
  await page.getByLabel('Image', { exact: true }).fill(`${real.registry.host}/nginx:latest`);
  await page.getByRole('dialog').getByRole('button', { name: 'Pull', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Layers' })).toBeVisible();
  await page.reload();
  await goTo(page, 'Volumes');
  await expect(page.getByText(/^Pulled .*nginx/).first()).toBeVisible({ timeout: 120_000 });
  await docker('image', 'inspect', `${real.registry.host}/nginx:latest`);
});
