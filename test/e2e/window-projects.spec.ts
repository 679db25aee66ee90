/** The list's compose projects, health and usage. Against the fake host. */
import type { Locator } from '@playwright/test';
import { composeContainers, manyContainers } from '../helpers/window-fixtures.ts';
import { expect, inputsOf, test } from '../helpers/window-test.ts';

function idsOf(host: { containers: { current: readonly { id: string; name: string }[] } }, prefix: string) {
  return host.containers.current.filter(({ name }) => name.startsWith(prefix)).map(({ id }) => ({ id }));
}

test('a compose project is one group: opened, closed, stopped, started and removed as one', async ({
  page,
  host,
  open,
}) => {
  host.containers.set(composeContainers());
  await open();
  const head = page.getByRole('row').filter({ hasText: '2 of 3 running' });
  await expect(head).toContainText('shop');
  const api = page.getByRole('row').filter({ hasText: 'shop-api-1' });
  await expect(api).toContainText('Healthy');
  await expect(page.getByRole('row').filter({ hasText: 'shop-db-1' })).toContainText('Unhealthy');
  await expect(page.getByRole('row').filter({ hasText: 'blog-web-1' })).toContainText('Starting');
  await page.getByRole('button', { name: 'Collapse shop' }).click();
  await expect(api).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Expand shop' })).toBeVisible();
  await expect(api).toHaveCount(0);
  await head.getByRole('button', { name: 'Stop all of shop' }).click();
  const [first, second] = idsOf(host, 'shop-');
  await expect.poll(() => inputsOf(host, 'containers.stop')).toEqual([first, second]);
  await expect(page.getByRole('row').filter({ hasText: '0 of 3 running' })).toBeVisible();
  await page.getByRole('button', { name: 'Start all of shop' }).click();
  await expect.poll(() => inputsOf(host, 'containers.start')).toEqual(idsOf(host, 'shop-'));
  await page.getByRole('button', { name: 'More actions on shop' }).click();
  await page.getByRole('menuitem', { name: 'Remove all…' }).click();
  await expect(page.getByRole('alertdialog')).toContainText('Remove 3 containers?');
  await page.getByRole('button', { name: 'Stop and remove' }).click();
  await expect(page.getByText('Removed 3 containers')).toBeVisible();
  expect(host.containers.current.some(({ name }) => name.startsWith('shop-'))).toBe(false);
});

test('a group is worked by keys', async ({ page, host, open }) => {
  host.containers.set(composeContainers());
  await open();
  const head = page.getByRole('row').filter({ hasText: '1 of 1 running' });
  await expect(head).toContainText('blog');
  await page.keyboard.press('j');
  await page.keyboard.press('End');
  await page.keyboard.press('k');
  await expect(head).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('button', { name: 'Expand blog' })).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('row').filter({ hasText: 'blog-web-1' })).toBeVisible();
  await page.keyboard.press('x');
  await expect(page.getByRole('toolbar')).toContainText('1 container selected');
  await page.keyboard.press('s');
  await expect.poll(() => inputsOf(host, 'containers.stop')).toEqual(idsOf(host, 'blog-'));
});

test('running containers show what they use, and only those in sight are measured', async ({ page, host, open }) => {
  host.containers.set(manyContainers(500));
  await open();
  const cell = (row: Locator) => row.locator('.usage');
  const row = page.getByRole('row').filter({ hasText: 'service-000' });
  await expect(cell(row)).toHaveCount(2);
  await expect(cell(row).first()).toContainText('%');
  await expect(cell(row).first().locator('path')).toHaveAttribute('d', /M.*L/);
  const stopped = page.getByRole('row').filter({ hasText: 'service-003' });
  await expect(cell(stopped)).toHaveCount(0);
  expect(host.statsWatched.length).toBeLessThan(64);
  const [first, last] = [host.containers.current[0]?.id ?? '', host.containers.current[498]?.id ?? ''];
  expect(host.statsWatched).toContain(first);
  await page.keyboard.press('j');
  await page.keyboard.press('End');
  await expect.poll(() => host.statsWatched.includes(last)).toBe(true);
  expect(host.statsWatched).not.toContain(first);
  await page.getByRole('button', { name: 'Images' }).click();
  await expect.poll(() => host.statsWatched).toEqual([]);
});
