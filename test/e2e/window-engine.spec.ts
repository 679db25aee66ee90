/** The engine screen: stages, doctor, settings, starting and stopping. Against the fake host. */
import { AppError } from '../../src-main/contract/errors.ts';
import { defaultNetwork } from '../../src-main/contract/vm.ts';
import { expect, goTo, inputsOf, test } from '../helpers/window-test.ts';

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

test('it is put to sleep at the button, shows that it sleeps, and is woken', async ({ page, host, open }) => {
  host.bootStepMs = 300;
  await open();
  await goTo(page, 'Engine');
  const status = page.getByRole('region', { name: 'Engine status' });
  await page.getByRole('button', { name: 'Sleep', exact: true }).click();
  await expect(status).toContainText('Falling asleep');
  await expect(page.getByRole('button', { name: 'Sleep', exact: true })).toBeDisabled();
  await expect(status).toContainText('Asleep');
  await expect(page.getByRole('button', { name: 'Sleep', exact: true })).toBeHidden();
  await goTo(page, 'Containers');
  await expect(
    page.getByText('any docker command or published port wakes it').filter({ visible: true }).first(),
  ).toBeVisible();
  await expect(page.getByText('orders-db').first()).toBeVisible();
  await goTo(page, 'Engine');
  await page.getByRole('main').getByRole('button', { name: 'Wake' }).last().click();
  await expect(status).toContainText('Waking up');
  await expect(status).toContainText('Engine ready');
  expect([inputsOf(host, 'vm.sleep').length, inputsOf(host, 'vm.start').length]).toEqual([1, 1]);
});

test('one that cannot sleep says why, and the palette can be asked as well', async ({ page, host, open }) => {
  await open();
  const why = 'put the VM to sleep: State blocked by the whpx accelerator';
  host.failures.set('vm.sleep', new AppError('unsupported', why));
  await goTo(page, 'Containers');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('sleep');
  await page.keyboard.press('Enter');
  await expect(page.getByText(why)).toBeVisible();
  await expect(page.getByRole('region', { name: 'Engine status' })).toContainText('Engine ready');
});

test('when it sleeps by itself, and what it does when Wherry quits, are settings', async ({ page, host, open }) => {
  host.settings.set({ ...host.settings.current, sleepAfterMinutes: 7 });
  await open();
  await goTo(page, 'Engine');
  await page.getByRole('radio', { name: 'Settings' }).click();
  const after = page.getByLabel('Sleep when nothing runs and nobody uses the engine');
  await expect(after).toHaveValue('7');
  await after.selectOption('Never');
  await expect.poll(() => host.settings.current.sleepAfterMinutes).toBe(0);
  await after.selectOption('After 15 minutes');
  await expect.poll(() => host.settings.current.sleepAfterMinutes).toBe(15);
  await page.getByRole('radio', { name: 'Put the engine to sleep' }).click();
  await expect.poll(() => host.settings.current.onQuit).toBe('sleep');
});

test('resources are checked, saved, and say what needs a restart', async ({ page, host, open }) => {
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('radio', { name: 'Settings' }).click();
  await page.getByLabel('Disk').fill('10');
  await expect(page.getByText('It cannot shrink below 64 GiB.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save' }).first()).toBeDisabled();
  await page.getByLabel('Disk').fill('128');
  await page.getByLabel('CPUs').fill('4');
  await page.getByLabel('Memory').fill('3.5');
  await page.getByRole('button', { name: 'Save' }).first().click();
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

test('a reset wants the word typed, and says what goes', async ({ page, host, open }) => {
  host.bootStepMs = 20;
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  await page.getByRole('radio', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Reset…' }).click();
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText(`${host.containers.current.length} containers`);
  await expect(question.getByRole('button', { name: 'Remove everything' })).toBeDisabled();
  await question.getByLabel('Type “reset” to go on').fill('rest');
  await expect(question.getByRole('button', { name: 'Remove everything' })).toBeDisabled();
  await page.keyboard.press('Escape');
  expect(inputsOf(host, 'vm.reset')).toHaveLength(0);
  await page.getByRole('button', { name: 'Reset…' }).click();
  await question.getByLabel('Type “reset” to go on').fill('Reset');
  await question.getByRole('button', { name: 'Remove everything' }).click();
  await page.getByRole('navigation', { name: 'Main' }).getByText('Containers').click();
  await expect(page.getByRole('heading', { name: 'Ready when you are' })).toBeVisible();
  expect(inputsOf(host, 'vm.reset')).toHaveLength(1);
});

test('what the VM holds is shown, and a report for a bug is saved', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'Engine', exact: true }).click();
  const usage = page.getByRole('region', { name: 'Usage' });
  await expect(usage.getByRole('meter', { name: 'Disk' })).toHaveAttribute('aria-valuetext', /of/);
  await expect(usage).toContainText('can be given back');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save a report' }).click();
  expect((await saved).suggestedFilename()).toMatch(/^wherry-report-\d{4}-\d\d-\d\d\.txt$/);
});

test('how registries are reached is typed, refused in words, saved, and a restart offered', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Engine');
  await page.getByRole('radio', { name: 'Settings' }).click();
  const form = page.locator('form').filter({ has: page.getByLabel('Proxy') });
  const save = form.getByRole('button', { name: 'Save' });
  await expect(save).toBeDisabled();
  await expect(page.getByText('after a change it has to be restarted')).toBeVisible();
  await page.getByLabel('Proxy').selectOption('These');
  await page.getByLabel('For https').fill('proxy.example:3128');
  await page.getByLabel('Mirrors of Docker Hub').fill('m1.example\nm2.example:5000\n');
  await page.getByLabel('Insecure registries').fill('r.example:5000');
  await page.getByLabel('Address pools').fill('10.10.0.0/16:24\n10.20.0.0/16:26');
  host.failures.set('settings.set', new AppError('invalid-input', 'change settings: <b>no name</b>'));
  await save.click();
  await expect(page.getByRole('alert')).toContainText('<b>no name</b>');
  await expect(page.getByLabel('Insecure registries')).toHaveValue('r.example:5000');
  host.failures.clear();
  await save.click();
  await expect(page.getByText('Restart the engine for these to take effect: network')).toBeVisible();
  expect(host.settings.current.network).toEqual({
    ...defaultNetwork,
    proxy: 'manual',
    httpsProxy: 'proxy.example:3128',
    registryMirrors: ['m1.example', 'm2.example:5000'],
    insecureRegistries: ['r.example:5000'],
    addressPools: ['10.10.0.0/16:24', '10.20.0.0/16:26'],
  });
  await page.getByRole('button', { name: 'Restart' }).last().click();
  await expect(page.getByRole('alertdialog')).toContainText('Restart');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByLabel('Insecure registries').fill('');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByLabel('Insecure registries')).toHaveValue('r.example:5000');
});
