/** Searching registries for images, and messages beside dialogs. */
import type { Page } from '@playwright/test';
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, test } from '../helpers/window-test.ts';

async function openSearch(page: Page): Promise<void> {
  // A key that is pressed before the window is there is lost.
  await expect(page.getByRole('heading', { name: 'Containers', level: 1 })).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Find an action' }).fill('search images');
  await page.keyboard.press('Enter');
}

test('from the palette: what is found is told, and a choice goes on to the pull with its tags', async ({
  page,
  host,
  open,
}) => {
  await open();
  await openSearch(page);
  const dialog = page.getByRole('dialog', { name: 'Search images' });
  await dialog.getByLabel('Search for').pressSequentially('nginx', { delay: 20 });
  const found = dialog.getByRole('list', { name: 'Found images' }).getByRole('button');
  await expect(found).toHaveCount(2);
  await expect(found.first()).toContainText('Official build of Nginx.');
  await expect(found.first()).toContainText('20,412');
  await expect(found.first().getByText('Official', { exact: true })).toBeVisible();
  await expect(found.nth(1).getByText('Official', { exact: true })).toHaveCount(0);
  expect(inputsOf(host, 'registries.search'), 'asked once, when the word stood still').toEqual([{ term: 'nginx' }]);
  await found.first().click();
  const pull = page.getByRole('dialog', { name: 'Pull an image' });
  await expect(pull.getByRole('combobox', { name: 'Image' })).toHaveValue('nginx:');
  await expect(pull.getByRole('option', { name: '1.29-alpine' })).toBeVisible();
});

test('from the pull, with what was typed; a registry without a search says so, and nothing found too', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Images');
  await page.getByRole('button', { name: /^Pull image/ }).click();
  await page.getByRole('combobox', { name: 'Image' }).fill('r.example/app:1');
  await page.getByRole('button', { name: 'Search…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Search images' });
  await expect(dialog.getByLabel('Search for')).toHaveValue('r.example/app');
  await expect(dialog.getByText('this registry has no search')).toBeVisible();
  await expect(dialog.getByText('Browse what it has under Registries')).toBeVisible();
  host.registries.found = [];
  await dialog.getByLabel('Search for').fill('nothing');
  await expect(dialog.getByText('Nothing found')).toBeVisible();
});

test('what a registry says of its images is inert', async ({ page, host, open }) => {
  host.registries.found = hostileNames.map((text) => ({ name: text, description: text, stars: 1e15, official: false }));
  await page.setViewportSize({ width: 900, height: 600 });
  await open();
  await openSearch(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Search for').fill('x');
  await expect(dialog.getByRole('listitem')).toHaveCount(hostileNames.length);
  const width = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(width).toBeLessThanOrEqual(1);
});

test('a message does not cover the buttons of a dialog in a small window', async ({ page, host, open }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open();
  await goTo(page, 'Images');
  await page
    .getByRole('button', { name: /^Build/ })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  const task = { id: 't1', kind: 'pull', subject: 'nginx:latest', startedAtMs: 0, layers: [] } as const;
  host.objects.tasks.views.set([{ ...task, state: 'running' }]);
  await expect(page.getByText('nginx:latest').first()).toBeAttached();
  host.objects.tasks.views.set([{ ...task, state: 'done', endedAtMs: 1 }]);
  const toast = page.getByRole('region', { name: 'Messages' }).getByRole('listitem');
  await expect(toast).toBeVisible();
  await page.screenshot({ path: 'test-results/toast-dialog.png' });
  const box = await toast.boundingBox();
  if (!box) throw new Error('no message');
  for (const button of await dialog.getByRole('button').all()) {
    const at = await button.boundingBox();
    if (!at) continue;
    const apart =
      at.x + at.width <= box.x || box.x + box.width <= at.x || at.y + at.height <= box.y || box.y + box.height <= at.y;
    expect(apart, (await button.textContent()) ?? '').toBe(true);
  }
});
