/** A container's files: folders, text, what changed, files out and in. Against the fake host. */
import { readFile } from 'node:fs/promises';
import { AppError } from '../../src-main/contract/errors.ts';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, inputsOf, openContainer, rowOf, test } from '../helpers/window-test.ts';

test('folders open by click and by key, the path leads back, and each container keeps its place', async ({
  page,
  open,
}) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await expect(rowOf(page, 'etc')).toContainText('modified');
  await expect(rowOf(page, 'notes.txt')).toContainText('added');
  await rowOf(page, 'etc').getByText('etc').click();
  await rowOf(page, 'nginx').getByText('nginx', { exact: true }).click();
  await expect(rowOf(page, 'nginx.conf')).toBeVisible();
  const crumbs = page.getByRole('navigation', { name: 'Folder' });
  await expect(crumbs.getByRole('button')).toHaveText(['/', 'etc', 'nginx']);
  await page.getByRole('tab', { name: 'Logs' }).click();
  await page.getByRole('tab', { name: 'Files' }).click();
  await expect(rowOf(page, 'nginx.conf')).toBeVisible();
  await rowOf(page, 'nginx.conf').focus();
  await page.keyboard.press('Backspace');
  await expect(rowOf(page, 'hostname')).toBeVisible();
  await crumbs.getByRole('button', { name: '/', exact: true }).click();
  await rowOf(page, 'srv').getByText('srv').click();
  await expect(page.getByText('An empty folder')).toBeVisible();
  await page.getByRole('button', { name: 'Go up' }).click();
  await expect(rowOf(page, 'srv')).toBeVisible();
});

test('a text is shown, what is none says so, and a link leads on', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await rowOf(page, 'notes.txt').getByText('notes.txt').click();
  const dialog = page.getByRole('dialog', { name: 'notes.txt' });
  await expect(dialog.getByText('second line')).toBeVisible();
  await expect(dialog).toContainText('23 B');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await rowOf(page, 'bin').getByText('bin', { exact: true }).click();
  await expect(rowOf(page, 'env')).toBeVisible();
  await rowOf(page, 'env').getByText('env').click();
  await expect(page.getByRole('dialog')).toContainText('This is no text');
});

test('a file and a folder are downloaded', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  const fetch = async (name: string) => {
    const waiting = page.waitForEvent('download');
    await rowOf(page, name).hover();
    await rowOf(page, name)
      .getByRole('button', { name: /^Download/ })
      .click();
    return waiting;
  };
  const file = await fetch('notes.txt');
  expect(file.suggestedFilename()).toBe('notes.txt');
  expect(await readFile(await file.path(), 'utf8')).toBe('first line\nsecond line\n');
  const folder = await fetch('etc');
  expect(folder.suggestedFilename()).toBe('etc.tar');
  await expect(page.getByText('Downloaded /etc', { exact: true })).toBeVisible();
  expect(inputsOf(host, 'files.download')).toEqual([{ path: '/notes.txt' }, { path: '/etc' }]);
});

test('files are put into the folder that is shown, by the button and by dropping', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await rowOf(page, 'srv').getByText('srv').click();
  await page.getByLabel('Upload').setInputFiles([
    { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('one') },
    { name: '<b>.txt', mimeType: 'text/plain', buffer: Buffer.from('') },
  ]);
  await expect(rowOf(page, 'a.txt')).toBeVisible();
  await expect(rowOf(page, '<b>.txt')).toBeVisible();
  expect(host.files.tree.get('/srv')?.get('a.txt')).toBe('one');
  await page.evaluate(() => {
    const held = new DataTransfer();
    held.items.add(new File(['two'], 'dropped.txt'));
    document
      .querySelector('.drop-zone')
      ?.dispatchEvent(new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true }));
  });
  await expect(rowOf(page, 'dropped.txt')).toBeVisible();
});

test('what changed since the image is listed, and each leads to its folder', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await page.getByRole('radio', { name: 'Changed 4' }).click();
  const changes = page.getByRole('list', { name: 'Changes' }).getByRole('listitem');
  await expect(changes).toHaveText(['Modified/etc', 'Modified/etc/hostname', 'Deleted/etc/motd', 'Added/notes.txt']);
  await page.getByRole('button', { name: '/etc/motd' }).click();
  await expect(rowOf(page, 'hostname')).toContainText('modified');
  host.files.changes = { changes: [], more: 0 };
  await page.getByRole('radio', { name: /^Changed/ }).click();
  await page.getByRole('button', { name: 'Read again' }).click();
  await expect(page.getByText('As in the image')).toBeVisible();
});

test('a folder that is gone says so and leads up', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await rowOf(page, 'etc').getByText('etc').click();
  await expect(rowOf(page, 'hostname')).toBeVisible();
  host.failures.set('files.list', new AppError('not-found', 'list /etc/nginx: no such folder'));
  await rowOf(page, 'nginx').getByText('nginx', { exact: true }).click();
  await expect(page.getByText('list /etc/nginx: no such folder')).toBeVisible();
  host.failures.delete('files.list');
  await page.getByRole('button', { name: 'Go up' }).click();
  await expect(rowOf(page, 'hostname')).toBeVisible();
});

test('hostile names are inert', async ({ page, host, open }) => {
  const names = hostileNames.map((name) => name.replaceAll('/', '∕').slice(0, 250));
  host.files.tree.set('/', new Map(names.map((name) => [name, '\0'])));
  await open();
  await openContainer(page, 'web', 'Files');
  for (const row of await page.getByRole('row').all()) expect((await row.boundingBox())?.height ?? 0).toBeLessThan(60);
  await page.getByText('⟨202E⟩gnp.exe').first().click();
  await expect(page.getByRole('dialog')).toContainText('This is no text');
});

test('a text is edited; what changed meanwhile is not overwritten', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Files');
  await rowOf(page, 'notes.txt').getByText('notes.txt').click();
  const dialog = page.getByRole('dialog', { name: 'notes.txt' });
  await dialog.getByRole('button', { name: 'Edit' }).click();
  await expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled();
  const field = dialog.getByLabel('Text of the file');
  await field.fill('all new\n');
  host.files.tree.get('/')?.set('notes.txt', 'somebody else');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toContainText('it was changed meanwhile');
  await expect(field).toHaveValue('all new\n');
  host.files.tree.get('/')?.set('notes.txt', 'first line\nsecond line\n');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved notes.txt')).toBeVisible();
  await expect(dialog).toBeHidden();
  await expect(rowOf(page, 'notes.txt')).toContainText('8 B');
});
