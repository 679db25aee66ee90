/** Settings of the window, the terminals and the docker context. Against the fake host. */
import type { Page } from '@playwright/test';
import type { TerminalSettings } from '../../src-main/contract/vm.ts';
import { expect, goTo, inputsOf, openContainer, test } from '../helpers/window-test.ts';

async function openSettings(page: Page): Promise<void> {
  await goTo(page, 'Engine');
  await page.getByRole('radio', { name: 'Settings' }).click();
}

test('font, size and colours of terminals are checked and saved', async ({ page, host, open }) => {
  await open();
  await openSettings(page);
  const form = page.locator('form').filter({ has: page.getByLabel('Font size') });
  await form.getByLabel('Font size').fill('5');
  await expect(form).toContainText('A whole number from 8 to 32.');
  await expect(form.getByRole('button', { name: 'Save' })).toBeDisabled();
  await form.getByLabel('Font size').fill('16');
  await form.getByLabel('Font', { exact: true }).fill("'DejaVu Sans Mono'");
  await form.getByLabel('Colours').selectOption('On black');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Settings saved')).toBeVisible();
  expect(host.settings.current.terminal).toEqual({
    fontFamily: "'DejaVu Sans Mono'",
    fontSize: 16,
    theme: 'black',
  });
});

test('an open terminal changes with the settings, and keeps its text', async ({ page, host, open }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open();
  await openContainer(page, 'web', 'Terminal');
  const rows = page.locator('.xterm-rows');
  await expect(rows).toContainText('#');
  const text = await rows.innerText();
  const set = (terminal: TerminalSettings) => host.settings.set({ ...host.settings.current, terminal });
  const style = (name: string) =>
    rows.evaluate((element, key) => getComputedStyle(element).getPropertyValue(key), name);
  const ground = () => page.locator('.terminal-place').evaluate((element) => getComputedStyle(element).backgroundColor);
  const light = await ground();
  set({ fontFamily: "'DejaVu Sans'", fontSize: 20, theme: 'black' });
  await expect.poll(() => style('font-size')).toBe('20px');
  expect(await style('font-family')).toContain('DejaVu Sans');
  await expect.poll(ground).toBe('rgb(0, 0, 0)');
  const inks =
    (await style('color'))
      .match(/[\d.]+/g)
      ?.slice(0, 3)
      .map(Number) ?? [];
  expect(Math.min(...inks), 'the ink is light on black').toBeGreaterThan(150);
  expect((await rows.innerText()).trim()).toContain(text.trim().split('\n')[0] ?? '?');
  set({ fontFamily: '', fontSize: 13, theme: 'window' });
  await expect.poll(ground).toBe(light);
  await expect.poll(() => style('font-size')).toBe('13px');
});

test('what only the desktop app does is shown there, and start at login where it can be', async ({
  page,
  host,
  open,
}) => {
  await open();
  await openSettings(page);
  await expect(page.getByRole('radiogroup', { name: 'When Wherry quits' })).toBeVisible();
  await expect(page.getByRole('radiogroup', { name: 'Closing the window' })).toHaveCount(0);
  host.shell = { shell: 'electron', canStartAtLogin: false };
  await page.reload();
  await openSettings(page);
  await page.getByRole('radio', { name: 'Quits Wherry' }).click();
  await page.getByLabel('Notify of pulls').click();
  await expect(page.getByLabel('Start Wherry when you log in')).toHaveCount(0);
  host.shell = { shell: 'electron', canStartAtLogin: true };
  await page.reload();
  await openSettings(page);
  await page.getByLabel('Start Wherry when you log in').click();
  await expect(page.getByLabel('Start Wherry when you log in')).toBeChecked();
  expect(host.settings.current.desktop).toEqual({ onClose: 'quit', startAtLogin: true, notifications: false });
  await page.getByLabel('Start Wherry when you log in').scrollIntoViewIfNeeded();
  await page.screenshot({ path: 'test-results/settings-desktop.png' });
});

test('the docker context is registered and removed by one click, and another’s only replaced when meant', async ({
  page,
  host,
  open,
}) => {
  await open();
  await openSettings(page);
  await page.getByRole('button', { name: 'Register' }).click();
  await expect(page.getByText('docker context use wherry')).toBeVisible();
  host.dockerContext.view = { ...host.dockerContext.view, current: true };
  await page.getByRole('button', { name: 'Remove the context' }).click();
  await expect(page.getByText('It was the current one')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Register' })).toBeVisible();
  host.dockerContext.view = { ...host.dockerContext.view, state: 'other', host: 'tcp://<b>x</b>\u202e' };
  await page.reload();
  await openSettings(page);
  await expect(page.getByText('points to tcp://<b>x</b>')).toBeVisible();
  await page.getByRole('button', { name: 'Replace' }).click();
  await expect(page.getByText('docker context use wherry')).toBeVisible();
  expect(inputsOf(host, 'dockerContext.add')).toEqual([{ replace: false }, { replace: true }]);
});
