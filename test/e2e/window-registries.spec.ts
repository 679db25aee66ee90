/** Registries: logging in, testing, removing, and what is said of where passwords are kept. */
import { AppError } from '../../src-main/contract/errors.ts';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

test('a login is asked of the registry first, and kept once it is right', async ({ page, host, open }) => {
  await open();
  await expect(rowOf(page, 'orders-db')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.getByRole('button', { name: 'Log in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Log in to a registry' });
  await expect(dialog.getByText('From here there is no way to the system’s keychain')).toBeVisible();
  await dialog.getByLabel('Registry').fill('not a server');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('A name like registry.example')).toBeVisible();
  await expect(dialog.getByText('Type the password')).toBeVisible();
  expect(inputsOf(host, 'registries.login')).toEqual([]);
  await dialog.getByLabel('Registry').fill('localhost:5000');
  await dialog.getByLabel('User name').fill('kim');
  await dialog.getByLabel('Password or access token').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('unauthorized');
  await expect(dialog.getByRole('alert')).toContainText('Check the user name and the password');
  await dialog.getByLabel('Password or access token').fill(host.registries.rightSecret);
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(rowOf(page, 'localhost:5000')).toContainText('kim');
  await expect(rowOf(page, 'localhost:5000')).toContainText('Works');
});

test('a login that is left while the registry is asked is not kept', async ({ page, host, open }) => {
  host.registries.answersAfterMs = 60_000;
  await open();
  await goTo(page, 'Registries');
  await page.getByRole('button', { name: 'Log in' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Registry').fill('slow.example');
  await dialog.getByLabel('Password or access token').fill(host.registries.rightSecret);
  await page.keyboard.press('Enter');
  await expect.poll(() => host.registries.asking).toBe(1);
  await page.keyboard.press('Escape');
  await expect.poll(() => host.registries.asking).toBe(0);
  await expect(dialog).toBeHidden();
  await expect(rowOf(page, 'slow.example')).toBeHidden();
});

test('a test says in the row what the registry said, by button or key', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Registries');
  await page.getByRole('button', { name: 'Test Docker Hub' }).click();
  await expect(rowOf(page, 'Docker Hub')).toContainText('Works');
  host.failures.set('registries.test', new AppError('engine', 'test the login: <b>no such host</b>'));
  await page.keyboard.press('Escape');
  await rowOf(page, 'registry.example:5000').focus();
  await page.keyboard.press('t');
  await expect(page.getByRole('alert')).toContainText('<b>no such host</b>');
  await expect(rowOf(page, 'registry.example:5000')).toContainText('Failed');
  await expect(rowOf(page, 'Docker Hub')).toContainText('Works');
});

test('removing asks first', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Registries');
  await rowOf(page, 'registry.example:5000').focus();
  await page.keyboard.press('Delete');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  expect(inputsOf(host, 'registries.logout')).toEqual([]);
  await rowOf(page, 'registry.example:5000').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(rowOf(page, 'registry.example:5000')).toBeHidden();
  await expect(rowOf(page, 'Docker Hub')).toBeVisible();
});

test('what a keychain out of reach has sealed is said, and can be logged in anew', async ({ page, host, open }) => {
  const { logins } = host.registries.view.current;
  host.registries.view.set({
    keeps: 'file',
    logins: logins.map((login) => ({ ...login, place: 'keychain', readable: login.server !== 'docker.io' })),
  });
  await open();
  await goTo(page, 'Registries');
  await expect(page.getByText('sealed by a keychain that cannot be reached from here')).toBeVisible();
  await expect(rowOf(page, 'Docker Hub')).toContainText('not readable here');
  await rowOf(page, 'Docker Hub').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Log in anew…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('User name')).toHaveValue('sam');
  await dialog.getByLabel('Password or access token').fill(host.registries.rightSecret);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'Docker Hub')).toContainText('a file');
  await expect(page.getByText('sealed by a keychain that cannot be reached from here')).toBeHidden();
});

test('without logins it says what they are for; a keychain is named where there is one', async ({
  page,
  host,
  open,
}) => {
  host.registries.view.set({ keeps: 'keychain', logins: [] });
  await open();
  await goTo(page, 'Registries');
  await expect(page.getByText('No logins yet')).toBeVisible();
  await expect(page.getByText('sealed by this system’s keychain')).toBeVisible();
  host.setState({ kind: 'absent' });
  await expect(page.getByRole('main').getByRole('button', { name: 'Log in' }).last()).toBeDisabled();
});

test('names from outside are inert', async ({ page, host, open }) => {
  const logins = hostileNames.map((name, at) => ({
    server: `r${at}.example`,
    username: name,
    place: 'file' as const,
    readable: true,
  }));
  host.registries.view.set({ keeps: 'file', logins });
  await open();
  await goTo(page, 'Registries');
  await expect(rowOf(page, 'r0.example')).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});
