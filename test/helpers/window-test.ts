/** Playwright's `test` with a fake host behind the built window; every test fails on an error in the page. */
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { FakeHost } from './fake-host.ts';
import { serveFakeWindow, type FakeWindow } from './fake-window.ts';

export const test = base.extend<{ fake: FakeWindow; host: FakeHost; open: () => Promise<void> }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright's way of saying: no other fixture
  fake: async ({}, use) => {
    const fake = await serveFakeWindow(new FakeHost());
    await use(fake);
    await fake.close();
  },
  host: async ({ fake }, use) => use(fake.host),
  /** Call it when the host is as the test wants it. */
  open: async ({ page, fake }, use) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await use(async () => {
      await page.goto(fake.url);
    });
    expect(errors).toEqual([]);
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
  },
});

export { expect };

/** The calls of one channel that reached the host, in order. */
export function inputsOf(host: FakeHost, channel: string): readonly unknown[] {
  return host.called.filter((call) => call.channel === channel).map(({ input }) => input);
}

/** Opens a container's page from the list. */
export async function openContainer(page: Page, name: string, tab?: string): Promise<void> {
  await page.getByRole('row').filter({ hasText: name }).getByText(name, { exact: true }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  if (tab !== undefined) await page.getByRole('tab', { name: tab }).click();
}

/** Opens a screen by the sidebar. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('button', { name: place }).click();
  await expect(page.getByRole('heading', { name: place, level: 1 })).toBeVisible();
}

/** The row of a table that has this text in a cell of its own. */
export function rowOf(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ has: page.getByText(text, { exact: true }) });
}
