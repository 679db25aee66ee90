/** The engine screen: stages, doctor, settings, starting and stopping. Against the fake host. */
import { expect, inputsOf, test } from '../helpers/window-test.ts';

test('the doctor names what could be better with its remedy', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('button', { name: 'Check everything' }).click();
  await expect(page.getByText('All works; 1 thing could be better.')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'Hardware virtualisation' })).toContainText('usermod');
});

test('stopping asks with the number of containers, and the engine can be started again', async ({
  page,
  host,
  open,
}) => {
  host.bootStepMs = 20;
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('alertdialog')).toContainText('3 running containers stop with it');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('region', { name: 'Engine status' })).toContainText('Engine is off');
  await page.getByRole('main').getByRole('button', { name: 'Start' }).last().click();
  await expect(page.getByRole('region', { name: 'Engine status' })).toContainText('Engine ready');
  expect(inputsOf(host, 'vm.stop')).toHaveLength(1);
});

test('resources are checked, saved, and say what needs a restart', async ({ page, host, open }) => {
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('radio', { name: 'Settings' }).click();
  await page.getByLabel('Disk').fill('10');
  await expect(page.getByText('It cannot shrink below 64 GiB.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Disk').fill('128');
  await page.getByLabel('CPUs').fill('4');
  await page.getByLabel('Memory').fill('3.5');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Restart the engine for these to take effect: cpus.')).toBeVisible();
  expect(host.settings.current.vm).toMatchObject({ cpus: 4, memoryMiB: 3584, diskGiB: 128 });
});

test('the theme is a setting that takes effect at once and is kept', async ({ page, host, open }) => {
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('radio', { name: 'Settings' }).click();
  await page.getByRole('radio', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(host.settings.current.appearance.theme).toBe('dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
