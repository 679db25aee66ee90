/** The containers' list: finding, acting by mouse and key, many, hostile. Against the fake host. */
import { AppError } from '../../src-main/contract/errors.ts';
import { hostileContainers, manyContainers } from '../helpers/window-fixtures.ts';
import { expect, inputsOf, test } from '../helpers/window-test.ts';

test('filters by words in any field and by state', async ({ page, open }) => {
  await open();
  const rows = page.getByRole('row').filter({ has: page.getByRole('gridcell') });
  await expect(rows).toHaveCount(8);
  await page.keyboard.press('/');
  await page.keyboard.type('worker shop');
  await expect(rows).toHaveCount(2);
  await page.getByRole('radio', { name: /Stopped/ }).click();
  await expect(rows).toHaveCount(1);
  await page.getByLabel('Filter by name, image or port').fill('9093');
  await expect(page.getByText('No container matches')).toBeVisible();
  await page.getByRole('button', { name: 'Show all containers' }).click();
  await expect(rows).toHaveCount(8);
});

test('keys move, act and ask', async ({ page, host, open }) => {
  await open();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
  const [first, second] = host.containers.current;
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('s');
  await expect.poll(() => inputsOf(host, 'containers.stop')).toEqual([{ id: second?.id }]);
  await page.keyboard.press('k');
  await page.keyboard.press('r');
  await expect.poll(() => inputsOf(host, 'containers.restart')).toEqual([{ id: first?.id }]);
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toContainText('Exited');
  await page.keyboard.press('Delete');
  await expect(page.getByRole('alertdialog')).toContainText('Remove web?');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  expect(inputsOf(host, 'containers.remove')).toEqual([]);
  // The focus is given back in a task of its own after the dialog is gone.
  await expect.poll(() => page.evaluate(() => document.activeElement === document.body)).toBe(false);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'web' })).toBeVisible();
});

test('bulk removal names what goes and removes only that', async ({ page, host, open }) => {
  await open();
  await page.getByLabel('Select migrate').check();
  await page.getByLabel('Select mailer').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('Remove 2 containers?');
  await expect(dialog).toContainText('mailer');
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Removed 2 containers')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'mailer' })).toHaveCount(0);
  expect(host.containers.current).toHaveLength(6);
});

test('a failed action says what failed and why, and stays', async ({ page, host, open }) => {
  host.failures.set(
    'containers.stop',
    new AppError('engine', 'stop web: the process does not end', { hint: 'Kill it instead.', status: 500 }),
  );
  await open();
  await page.getByRole('row').filter({ hasText: 'nginx' }).getByRole('button', { name: 'Stop' }).click();
  const toast = page.getByRole('region', { name: 'Messages' });
  await expect(toast).toContainText('Could not stop web');
  await expect(toast).toContainText('stop web: the process does not end. Kill it instead.');
  await toast.getByRole('button', { name: 'Dismiss' }).click();
  await expect(toast).not.toContainText('Could not stop');
});

test('published ports are links to this computer', async ({ page, open }) => {
  await open();
  const link = page.getByRole('link', { name: '8080→80' });
  await expect(link).toHaveAttribute('href', 'http://localhost:8080/');
});

test('rename checks the name before asking the engine', async ({ page, host, open }) => {
  await open();
  await page.getByRole('row').filter({ hasText: 'orders-db' }).getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Rename…' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('no spaces');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Only letters, digits and . _ - are allowed.')).toBeVisible();
  expect(inputsOf(host, 'containers.rename')).toEqual([]);
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('orders-database');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('row').filter({ hasText: 'orders-database' })).toBeVisible();
});

test('of 500 containers only those in sight are in the page, and all can be reached', async ({ page, host, open }) => {
  host.containers.set(manyContainers(500));
  await open();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '501');
  expect(await page.getByRole('row').count()).toBeLessThan(60);
  await page.keyboard.press('j');
  await page.keyboard.press('End');
  await expect(page.getByRole('row').filter({ hasText: 'service-499' })).toBeFocused();
  await page.getByLabel('Filter by name, image or port').fill('service-250');
  await expect(page.getByRole('row').filter({ has: page.getByRole('gridcell') })).toHaveCount(1);
});

test('hostile names are inert and leave the layout alone', async ({ page, host, open }) => {
  host.containers.set(hostileContainers());
  await open();
  const markup = page.getByText('<img src=x onerror="window.hacked=1">');
  await expect(markup).toBeVisible();
  await expect(page.getByText('⟨202E⟩gnp.exe')).toBeVisible();
  await expect(page.getByText('tabs␉and␊lines␀')).toBeVisible();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  expect(overflow).toBe(false);
  for (const row of await page.getByRole('row').all()) {
    expect((await row.boundingBox())?.height ?? 0).toBeLessThan(60);
  }
  await markup.click();
  await expect(page.getByRole('heading', { name: '<img src=x onerror="window.hacked=1">' })).toBeVisible();
});

test('a container removed elsewhere says so on its page', async ({ page, host, open }) => {
  await open();
  await page.getByRole('row').filter({ hasText: 'nginx' }).getByText('web').click();
  await expect(page.getByRole('heading', { name: 'web' })).toBeVisible();
  host.containers.set(host.containers.current.filter(({ name }) => name !== 'web'));
  await expect(page.getByText('This container is gone')).toBeVisible();
  await page.getByRole('button', { name: 'All containers' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
});

test('the palette finds and does', async ({ page, host, open }) => {
  await open();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('start migrate');
  await page.keyboard.press('Enter');
  const migrate = host.containers.current.find(({ name }) => name === 'migrate');
  await expect.poll(() => inputsOf(host, 'containers.start')).toEqual([{ id: migrate?.id }]);
});
