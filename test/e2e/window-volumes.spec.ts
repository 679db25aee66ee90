/** Volumes: made, looked at, removed with what is in use told, and cleaned up. */
import { AppError } from '../../src-main/contract/errors.ts';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

test('a volume is made with labels once its name is right, and its page opens', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await page.getByRole('button', { name: 'Create volume' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('web data');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Only letters, digits')).toBeVisible();
  expect(inputsOf(host, 'volumes.create')).toEqual([]);
  await dialog.getByLabel('Name', { exact: true }).fill('npm-cache');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText(/there is a volume of that name already/)).toBeVisible();
  await dialog.getByLabel('Name', { exact: true }).fill('reports');
  await dialog.getByRole('button', { name: 'Add a label' }).click();
  await dialog.getByLabel('Label', { exact: true }).fill('team');
  await dialog.getByLabel('Value of team').fill('<b>shop</b>');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'reports', level: 1 })).toBeVisible();
  await expect(page.getByText('team=<b>shop</b>')).toBeVisible();
  expect(inputsOf(host, 'volumes.create').at(-1)).toEqual({ name: 'reports', labels: { team: '<b>shop</b>' } });
});

test('creating can be left, and asks nothing', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await page.getByRole('button', { name: 'Create volume' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('never');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  expect(inputsOf(host, 'volumes.create')).toEqual([]);
});

test('the filter finds by name and by user, and says when nothing matches', async ({ page, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await page.keyboard.press('/');
  await page.keyboard.type('worker');
  await expect(rowOf(page, 'web-data')).toBeVisible();
  await expect(rowOf(page, 'orders_data')).toBeHidden();
  await page.keyboard.type(' nothing');
  await page.getByRole('button', { name: 'Show all volumes' }).click();
  await expect(rowOf(page, 'orders_data')).toBeVisible();
  await page.getByRole('radio', { name: 'Unused' }).click();
  await expect(rowOf(page, 'orders_data')).toBeHidden();
  await expect(rowOf(page, 'old_backup')).toBeVisible();
});

test('of several chosen, those in use are told and stay', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  for (const name of ['orders_data', 'old_backup', 'npm-cache']) await rowOf(page, name).getByRole('checkbox').click();
  await page.getByRole('toolbar', { name: 'Selected volumes' }).getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('Remove 2 volumes?');
  await expect(dialog).toContainText('orders_data (orders-db)');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('Removed 2 volumes')).toBeVisible();
  expect(inputsOf(host, 'volumes.remove')).toEqual([{ names: ['old_backup', 'npm-cache'] }]);
  await expect(rowOf(page, 'orders_data')).toBeVisible();
  await expect(rowOf(page, 'old_backup')).toBeHidden();
});

test('a removal that fails says why, and the volume stays', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await rowOf(page, 'old_backup').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  host.failures.set('volumes.remove', new AppError('link-lost', 'remove old_backup: the link broke'));
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('remove old_backup: the link broke')).toBeVisible();
  await expect(rowOf(page, 'old_backup')).toBeVisible();
});

test('cleaning up shows exactly what goes, and takes exactly that', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  const unnamed = host.objects.volumes.current.find((volume) => volume.anonymous && volume.usedBy.length === 0);
  await page.getByRole('button', { name: 'Clean up' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog.getByRole('listitem')).toContainText([unnamed?.name.slice(0, 12) ?? 'none']);
  await expect(dialog).toContainText('come back');
  await dialog.getByRole('radio', { name: 'All unused' }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(3);
  await expect(dialog.getByRole('listitem').filter({ hasText: 'old_backup' })).toContainText('10.0 MB');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(inputsOf(host, 'volumes.remove')).toEqual([]);
  await page.getByRole('button', { name: 'Clean up' }).click();
  await dialog.getByRole('button', { name: 'Remove 1 volume' }).click();
  await expect.poll(() => inputsOf(host, 'volumes.remove')).toEqual([{ names: [unnamed?.name] }]);
});

test('the page tells who uses it, leads there, and says when it is gone', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Volumes');
  await rowOf(page, 'web-data').getByText('web-data').click();
  await expect(page.getByRole('button', { name: 'Remove' })).toBeDisabled();
  await page.getByRole('tab', { name: 'Inspect' }).click();
  await expect(page.getByText('/var/lib/wherry/volumes/web-data/_data')).toBeVisible();
  await page.getByRole('tab', { name: 'Overview' }).click();
  await page.getByRole('button', { name: /^worker/ }).click();
  await expect(page.getByRole('heading', { name: 'worker', level: 1 })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'web-data', level: 1 })).toBeVisible();
  host.objects.volumes.set(host.objects.volumes.current.filter(({ name }) => name !== 'web-data'));
  await expect(page.getByText('This volume is gone')).toBeVisible();
  await page.getByRole('button', { name: 'All volumes' }).click();
  await expect(rowOf(page, 'orders_data')).toBeVisible();
});

test('without volumes it says what they are for and offers one', async ({ page, host, open }) => {
  host.objects.volumes.set([]);
  await open();
  await goTo(page, 'Volumes');
  await expect(page.getByText('No volumes yet')).toBeVisible();
  await page.getByRole('main').getByRole('button', { name: 'Create volume' }).last().click();
  await expect(page.getByRole('dialog', { name: 'Create a volume' })).toBeVisible();
});

test('hostile names and labels are inert and leave the layout alone', async ({ page, host, open }) => {
  const [some] = host.objects.volumes.current;
  if (some === undefined) throw new Error('no volume');
  host.objects.volumes.set(
    hostileNames.map((name) => ({ ...some, name, usedBy: [], labels: { [name]: name }, mountpoint: name })),
  );
  await open();
  await goTo(page, 'Volumes');
  await expect(page.getByText('<img src=x onerror="window.hacked=1">').first()).toBeVisible();
  await expect(page.getByText('⟨202E⟩gnp.exe').first()).toBeVisible();
  for (const row of await page.getByRole('row').all()) {
    expect((await row.boundingBox())?.height ?? 0).toBeLessThan(60);
  }
  await page.getByText('<img src=x onerror="window.hacked=1">').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('<img src=x onerror="window.hacked=1">');
  const wide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await page.evaluate(wide)).toBe(false);
});
