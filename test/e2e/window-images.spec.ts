/** Pulling, running and removing images. Against the fake host. */
import { expect, inputsOf, test } from '../helpers/window-test.ts';

test('a pull shows layers and totals, goes on in the background, and offers to run', async ({ page, host, open }) => {
  host.objects.pullStepMs = 25;
  await open();
  await page.getByRole('button', { name: 'Pull image' }).click();
  await page.getByRole('dialog').getByLabel('Image').fill('python:3.14');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('listitem')).toHaveCount(6);
  await expect(dialog).toContainText(/of 73\.4 MB/);
  await expect(dialog).toContainText('Already here');
  await dialog.getByRole('button', { name: 'Go on in the background' }).click();
  await page.getByRole('button', { name: 'Images' }).click();
  const activity = page.getByRole('region', { name: 'Activity' });
  await expect(activity).toContainText('python:3.14');
  await expect(page.getByText('Pulled python:3.14')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'python:3.14' })).toBeVisible();
  await activity.getByRole('button', { name: 'Show: Pulled python:3.14' }).click();
  await expect(page.getByRole('dialog')).toContainText('Complete and verified');
  await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
  await expect(page.getByRole('dialog').getByLabel('Image')).toHaveValue('python:3.14');
});

test('a cancelled pull ends at the host and leaves no image', async ({ page, host, open }) => {
  host.objects.pullStepMs = 200;
  await open();
  await page.getByRole('button', { name: 'Pull image' }).click();
  await page.getByRole('dialog').getByLabel('Image').fill('python:3.14');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Cancel the pull' }).click();
  await expect(page.getByRole('dialog')).toContainText('Cancelled');
  await expect.poll(() => host.objects.pullsOpen).toBe(0);
  expect(host.images.current.some(({ tags }) => tags.includes('python:3.14'))).toBe(false);
});

for (const { reference, message, hint } of [
  { reference: 'unknown:1', message: 'manifest unknown', hint: 'Check the name and the tag' },
  { reference: 'shop/broken:1', message: 'digest does not match', hint: 'The registry sent other bytes' },
]) {
  test(`a failed pull of ${reference} says why and what next`, async ({ page, host, open }) => {
    host.objects.pullStepMs = 5;
    await open();
    await page.getByRole('button', { name: 'Pull image' }).click();
    await page.getByRole('dialog').getByLabel('Image').fill(reference);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toContainText('Could not pull');
    await expect(page.getByRole('alert')).toContainText(message);
    await expect(page.getByRole('alert')).toContainText(hint);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => inputsOf(host, 'images.pull')).toHaveLength(2);
  });
}

test('a wrong reference is told before anything is asked', async ({ page, host, open }) => {
  await open();
  await page.getByRole('button', { name: 'Pull image' }).click();
  for (const [reference, problem] of [
    ['', 'Type the name of an image.'],
    ['Nginx', 'Names of images are in small letters.'],
    ['https://example.org/app', 'Leave out http://'],
    ['two words', 'A name has no spaces.'],
  ] as const) {
    await page.getByRole('dialog').getByLabel('Image').fill(reference);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toContainText(problem);
  }
  expect(inputsOf(host, 'images.pull')).toEqual([]);
});

test('the run dialog is filled in from the image, checks each field, and sends what was typed', async ({
  page,
  host,
  open,
}) => {
  await open();
  await page.getByRole('button', { name: 'Images' }).click();
  await page.getByRole('row').filter({ hasText: 'nginx' }).getByRole('button', { name: 'Run' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Port in the container')).toHaveValue('80');
  await expect(dialog.getByLabel('Value of NGINX_VERSION')).toHaveValue('1.29.3');
  await dialog.getByLabel('Name', { exact: true }).fill('my web!');
  await dialog.getByLabel('Port on this computer').fill('99999');
  await dialog.getByLabel('Memory').fill('2m');
  await dialog.getByLabel('CPUs').fill('-1');
  await dialog.getByRole('button', { name: 'Run' }).click();
  for (const problem of [
    'Only letters, digits and . _ - are allowed.',
    'The port on this computer is a number from 1 to 65535',
    'At least 6m',
    'A number of CPUs',
  ]) {
    await expect(dialog).toContainText(problem);
  }
  expect(inputsOf(host, 'containers.run')).toEqual([]);
  await dialog.getByLabel('Name', { exact: true }).fill('my-web');
  await dialog.getByLabel('Port on this computer').fill('8081');
  await dialog.getByLabel('Memory').fill('256m');
  await dialog.getByLabel('CPUs').fill('1.5');
  await dialog.getByLabel('Command').fill(`sh -c 'echo "hello world"'`);
  await dialog.getByRole('button', { name: 'Add a variable' }).click();
  await dialog.getByLabel('Variable', { exact: true }).last().fill('MODE');
  await dialog.getByLabel('Value of MODE').fill('a=b c');
  await dialog.getByLabel('Restart').selectOption('unless-stopped');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByRole('heading', { name: 'my-web' })).toBeVisible();
  expect(inputsOf(host, 'containers.run')).toEqual([
    {
      image: 'nginx:1.29',
      name: 'my-web',
      command: ['sh', '-c', 'echo "hello world"'],
      environment: ['MODE=a=b c'],
      ports: [{ containerPort: 80, protocol: 'tcp', hostPort: 8081 }],
      memoryBytes: 268_435_456,
      cpus: 1.5,
      restartPolicy: 'unless-stopped',
    },
  ]);
});

test('an error from the engine keeps the dialog and what was typed', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Image').fill('nginx:1.29');
  await dialog.getByLabel('Name', { exact: true }).fill('web');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByRole('alert')).toContainText('the name is already in use');
  await expect(page.getByRole('alert')).toContainText('Choose another name');
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('web');
  await dialog.getByLabel('Image').fill('not-here:1');
  await dialog.getByLabel('Name', { exact: true }).fill('');
  await dialog.getByRole('button', { name: 'Run' }).click();
  await page.getByRole('button', { name: 'Pull it' }).click();
  await expect(page.getByRole('dialog').getByLabel('Image')).toHaveValue('not-here:1');
});

test('removing an image in use says by whom', async ({ page, host, open }) => {
  await open();
  await page.getByRole('button', { name: 'Images' }).click();
  await page.getByRole('row').filter({ hasText: 'postgres' }).getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('orders-db');
  await expect(dialog).toContainText('stop and remove it first');
  await dialog.getByRole('button', { name: 'Remove anyway' }).click();
  await expect(page.getByText('Removed postgres:17')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'postgres' })).toHaveCount(0);
  expect(inputsOf(host, 'images.remove')).toEqual([{ id: expect.any(String) as unknown, force: true }]);
});
