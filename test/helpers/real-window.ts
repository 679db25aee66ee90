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
      await using registry = await startRegistry({
        'busybox:latest': 'busybox',
        'nginx:latest': 'nginx',
        // For who takes it as the mirror of Docker Hub.
        'library/busybox:latest': 'busybox',
      });
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

export const starterImage = 'wherry/starter';

/** A page before an engine that has the starter image: the first file to ask boots the VM. */
export async function openReadyPage({ home, openPage }: RealWindow): Promise<Page> {
  const page = await openPage();
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  // It comes just after the engine's first answer.
  const inspect = ['image', 'inspect', starterImage];
  await expect.poll(async () => (await home.docker(inspect)).code, { timeout: 150_000 }).toBe(0);
  return page;
}

/** What a docker command that must succeed prints, trimmed. */
export async function docker({ home }: Pick<RealWindow, 'home'>, ...args: string[]): Promise<string> {
  const ended = await home.docker(args);
  if (ended.code !== 0) throw new Error(`docker ${args.join(' ')}: ${ended.stderr}`);
  return ended.stdout.trim();
}

/** Leaves nothing to the next file. */
export async function removeContainers(real: Pick<RealWindow, 'home'>): Promise<void> {
  const all = await docker(real, 'ps', '-aq');
  if (all !== '') await docker(real, 'rm', '-f', ...all.split('\n'));
}

/** The rows of a table that hold this text. */
export function rowWith(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ hasText: text });
}
