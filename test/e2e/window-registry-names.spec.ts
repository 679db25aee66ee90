/** What registries have: tags offered while an image's name is typed, repositories and tags browsed and pulled. */
import { AppError } from '../../src-main/contract/errors.ts';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

test('after the colon tags are offered; arrows choose, Enter takes one and then pulls', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Pull image' }).click();
  const field = page.getByRole('combobox', { name: 'Image' });
  await field.pressSequentially('team/app');
  await expect(page.getByRole('listbox', { name: 'Tags' })).toBeHidden();
  await field.pressSequentially(':');
  const options = page.getByRole('option');
  await expect(options).toHaveText(['latest', 'edge', '1.10', '1.9', '1.0']);
  await field.pressSequentially('1.');
  await expect(options).toHaveText(['1.10', '1.9', '1.0']);
  await expect(page.getByText('3 of 5 tags.')).toBeVisible();
  await field.press('ArrowDown');
  await field.press('ArrowDown');
  await expect(page.getByRole('option', { selected: true })).toHaveText('1.9');
  await field.press('Enter');
  await expect(field).toHaveValue('team/app:1.9');
  await expect(options).toHaveCount(0);
  // The registry was asked once for all that was typed.
  expect(inputsOf(host, 'registries.tags')).toEqual([{ name: 'team/app' }]);
  expect(inputsOf(host, 'images.pull')).toEqual([]);
  await field.press('Enter');
  await expect.poll(() => inputsOf(host, 'images.pull')).toEqual([{ reference: 'team/app:1.9' }]);
});

test('another name gives the question up, and a registry that says nothing is no hindrance', async ({
  page,
  host,
  open,
}) => {
  host.registries.answersAfterMs = 60_000;
  await open();
  await goTo(page, 'Images');
  await page.getByRole('button', { name: 'Pull image' }).click();
  const field = page.getByRole('combobox', { name: 'Image' });
  await field.fill('team/app:');
  await expect(page.getByText('Asking the registry for tags…')).toBeVisible();
  await expect.poll(() => host.registries.asking).toBe(1);
  host.registries.answersAfterMs = 10;
  await field.fill('team/none:1');
  await expect(page.getByText(/No tags to offer: .*name unknown/)).toBeVisible();
  expect(host.registries.asking).toBe(0);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await field.press('Enter');
  await expect.poll(() => inputsOf(host, 'images.pull')).toEqual([{ reference: 'team/none:1' }]);
});

test('a registry is browsed to a tag, which is pulled; back leads the same way', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Registries');
  await rowOf(page, 'registry.example:5000').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'registry.example:5000', level: 1 })).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('worker');
  await expect(rowOf(page, 'team/app')).toBeHidden();
  await page.getByRole('button', { name: 'Clear' }).click();
  await rowOf(page, 'team/app').getByText('team/app').click();
  await expect(page.getByRole('heading', { name: 'team/app', level: 1 })).toBeVisible();
  await expect(page.getByRole('row')).toHaveText([/Tag/, /latest/, /edge/, /1\.10/, /1\.9/, /1\.0/]);
  await page.getByRole('button', { name: 'Pull 1.10' }).click();
  await expect(page.getByRole('dialog')).toContainText('registry.example:5000/team/app:1.10');
  expect(inputsOf(host, 'images.pull')).toEqual([{ reference: 'registry.example:5000/team/app:1.10' }]);
  await page.keyboard.press('Escape');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'registry.example:5000', level: 1 })).toBeVisible();
});

test('a registry that does not tell says why, and its repositories are named by hand', async ({ page, open }) => {
  await open();
  await goTo(page, 'Registries');
  await rowOf(page, 'Docker Hub').getByText('Docker Hub').click();
  await expect(page.getByText('The repositories cannot be listed')).toBeVisible();
  await expect(page.getByText('tells nobody what it has')).toBeVisible();
  await page.getByLabel('Repository').fill('No Name');
  await page.keyboard.press('Enter');
  await expect(page.getByText('A name like team/app')).toBeVisible();
  await page.getByLabel('Repository').fill('nginx');
  await page.keyboard.press('Enter');
  await expect(rowOf(page, '1.29-alpine')).toBeVisible();
});

test('any registry can be browsed; asking again mends a failure, and what is known stays', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Registries');
  await page.getByRole('button', { name: 'Browse' }).click();
  const dialog = page.getByRole('dialog', { name: 'Browse a registry' });
  await dialog.getByLabel('Registry').fill('no server');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('A name like registry.example')).toBeVisible();
  host.failures.set('registries.repositories', new AppError('engine', 'list: <b>connection refused</b>'));
  await dialog.getByLabel('Registry').fill('http://LOCALHOST:5000/');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'localhost:5000', level: 1 })).toBeVisible();
  await expect(page.getByText('<b>connection refused</b>')).toBeVisible();
  host.failures.clear();
  await page.getByRole('button', { name: 'Ask again' }).click();
  await expect(rowOf(page, 'team/app')).toBeVisible();
  host.failures.set('registries.repositories', new AppError('engine', 'list: connection refused'));
  await page.getByRole('button', { name: 'Ask again' }).click();
  await expect(page.getByRole('alert')).toContainText('connection refused');
  await expect(rowOf(page, 'team/app')).toBeVisible();
});

test('names from a registry are inert', async ({ page, host, open }) => {
  Object.assign(host.registries.tags, Object.fromEntries(hostileNames.map((name) => [name, ['1']])));
  host.registries.tags['team/app'] = hostileNames;
  await open();
  await page.evaluate(() => (location.hash = '/registries/registry.example%3A5000'));
  await expect(rowOf(page, 'team/app')).toBeVisible();
  await rowOf(page, 'team/app').getByText('team/app').click();
  await expect(page.getByText('<img src=x').first()).toBeVisible();
  await page.evaluate(() => (location.hash = '/images'));
  await page.getByRole('button', { name: 'Pull image' }).click();
  await page.getByRole('combobox', { name: 'Image' }).fill('team/app:');
  await expect(page.getByRole('option')).toHaveCount(hostileNames.length);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});
