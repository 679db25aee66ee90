/** Editing a container: the diff, the new container, keeping it and going back. Against the fake host. */
import type { Page } from '@playwright/test';
import { AppError } from '../../src-main/contract/errors.ts';
import { expect, inputsOf, openContainer, test } from '../helpers/window-test.ts';

async function openEdit(page: Page, name = 'web') {
  await openContainer(page, name);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Edit…' }).click();
  const dialog = page.getByRole('dialog', { name: `Edit ${name}` });
  await expect(dialog.getByText('None yet.')).toBeVisible();
  return dialog;
}

test('the diff is shown, a new container takes the place, and one click goes back', async ({ page, host, open }) => {
  await open();
  const dialog = await openEdit(page);
  const changes = dialog.getByRole('list', { name: 'Changes' });
  const apply = dialog.getByRole('button', { name: /^Apply/ });
  await expect(apply).toBeDisabled();
  await dialog.getByLabel('Value of TZ').fill('Europe/Berlin');
  await expect(changes).toContainText('TZ=UTC');
  await expect(changes).toContainText('TZ=Europe/Berlin');
  await dialog.getByLabel('Port on this computer').fill('8090');
  await dialog.getByRole('button', { name: 'Add a mount' }).click();
  await dialog.getByLabel('Name of the volume').last().fill('cache');
  await dialog.getByLabel('Path in the container').last().fill('/cache');
  await expect(changes.getByRole('listitem')).toHaveCount(4);
  await expect(dialog).toContainText('The old one is kept, stopped, until you accept');
  await apply.click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('This container was edited. Is it right?')).toBeVisible();
  const [{ edit }] = inputsOf(host, 'containers.edit') as readonly [
    { edit: { environment: string[]; ports: unknown } },
  ];
  expect(edit.environment).toContain('TZ=Europe/Berlin');
  expect(edit.ports).toEqual([{ containerPort: 80, protocol: 'tcp', hostPort: 8090, hostIp: '127.0.0.1' }]);
  await page.getByRole('button', { name: 'Go back' }).click();
  await expect(page.getByText('Put back web as it was')).toBeVisible();
  await expect(page.getByText('This container was edited. Is it right?')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'web', level: 1 })).toBeVisible();
  expect(host.containers.current).toHaveLength(8);
});

test('keeping the change removes the old container', async ({ page, host, open }) => {
  await open();
  const dialog = await openEdit(page);
  await dialog.getByLabel('Command').fill("nginx -g 'daemon off; user web;'");
  await dialog.getByRole('button', { name: 'Apply in a new container' }).click();
  expect(host.containers.current.some(({ name }) => name === 'web.before-edit')).toBe(true);
  await page.getByRole('button', { name: 'Keep the change' }).click();
  await expect(page.getByText('Kept the edited web')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Keep the change' })).toHaveCount(0);
  expect(host.containers.current.some(({ name }) => name === 'web.before-edit')).toBe(false);
});

test('limits change in place', async ({ page, host, open }) => {
  await open();
  const dialog = await openEdit(page);
  await dialog.getByLabel('Memory').fill('512m');
  await dialog.getByLabel('Restart').selectOption('always');
  await expect(dialog).toContainText('Takes effect at once');
  await dialog.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(page.getByText('Changed web')).toBeVisible();
  await expect(page.getByText('This container was edited')).toHaveCount(0);
  expect(host.containers.current).toHaveLength(8);
});

test('what is wrong is said by its field, and a failure by the engine stays in the dialog', async ({
  page,
  host,
  open,
}) => {
  host.failures.set(
    'containers.edit',
    new AppError('port-taken', 'edit web: port 127.0.0.1:5432 is already allocated', {
      hint: 'Everything is as it was before.',
    }),
  );
  await open();
  const dialog = await openEdit(page);
  await dialog.getByLabel('Memory').fill('much');
  await dialog.getByRole('button', { name: /^Apply/ }).click();
  await expect(dialog.getByText('A size such as 256m or 1.5g.')).toBeVisible();
  await dialog.getByLabel('Memory').fill('256m');
  await dialog.getByLabel('Port on this computer').fill('5432');
  await dialog.getByRole('button', { name: /^Apply/ }).click();
  await expect(dialog.getByRole('alert')).toContainText('Everything is as it was before.');
  await expect(dialog.getByLabel('Port on this computer')).toHaveValue('5432');
});
