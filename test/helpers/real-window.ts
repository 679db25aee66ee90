/**
 * Playwright's `test` with the real window before the real VM, engine and registry. All of a worker's files share one home:
 * a VM that boots once serves the first run and what comes after it.
 */
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { startRegistry, type Registry } from './registry.ts';
import { WebWindow } from './web-window.ts';
import { WherryHome } from './wherry-cli.ts';

export interface RealWindow {
  readonly registry: Registry;
  readonly home: WherryHome;
  /** One page for all tests of a file: a person goes on where they were. */
  readonly openPage: () => Promise<Page>;
}

export const test = base.extend<object, { real: RealWindow }>({
  real: [
    async ({ browser }, use) => {
      await using registry = await startRegistry({ 'busybox:latest': 'busybox', 'nginx:latest': 'nginx' });
      await using home = await WherryHome.create();
      await using shell = await WebWindow.start(home);
      await use({
        registry,
        home,
        openPage: async () => {
          const page = await browser.newPage();
          await page.goto(shell.url);
          return page;
        },
      });
    },
    { scope: 'worker', timeout: 400_000 },
  ],
});

export { expect };

/** The rows of a table that hold this text. */
export function rowWith(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ hasText: text });
}
