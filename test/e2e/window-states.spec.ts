/**
 * Whatever the engine does, every screen says what is true and comes back by itself, with what it showed before in sight where
 * that is still of use. Against the fake host.
 */
import type { Page } from '@playwright/test';
import { vmStages, type VmState } from '../../src-main/contract/vm.ts';
import type { FakeHost } from '../helpers/fake-host.ts';
import { expect, test } from '../helpers/window-test.ts';

test.describe.configure({ mode: 'parallel' });

/** Where, and what is there while all is well. */
const places: Readonly<Record<string, string | RegExp>> = {
  '/containers': 'orders-db',
  '/containers/web/logs': /GET|listening|started/i,
  '/containers/web/terminal': 'root@fake',
  '/containers/web/stats': 'Memory',
  '/containers/web/processes': 'COMMAND',
  '/containers/web/files': 'notes.txt',
  '/containers/web/overview': 'Image',
  '/containers/web/inspect': 'Id',
  '/containers/web/history': 'Started',
  '/images': 'postgres:17',
  '/images/postgres%3A17': 'postgres:17',
  '/volumes': 'web-data',
  '/volumes/web-data': 'web-data',
  '/networks': 'shop_back',
  '/networks/shop_back': 'shop_back',
  '/registries': 'registry.example:5000',
  '/logs': /GET|listening|started/i,
  '/events': 'Events',
  '/engine': 'Stages',
};

interface Trouble {
  readonly state: VmState;
  readonly link?: 'down';
  /** The words that say it, in the banner or in the screen of the boot. */
  readonly says: RegExp;
}

const troubles: readonly Trouble[] = [
  { state: { kind: 'absent' }, says: /Engine is off/ },
  { state: { kind: 'sleeping', step: 'saving' }, says: /Falling asleep/ },
  { state: { kind: 'sleeping', step: 'saved' }, says: /Asleep/ },
  { state: { kind: 'resuming', startedAtMs: 1 }, says: /Waking up/ },
  { state: { kind: 'stopping', step: 'guest' }, says: /Stopping/ },
  ...vmStages.map((stage) => ({
    state: { kind: 'failed', stage, message: `${stage} gave up after 30 s`, hint: 'Ask the doctor.' } as const,
    says: new RegExp(`${stage} gave up after 30 s`),
  })),
  { state: { kind: 'ready', sinceMs: 1, bootTookMs: 1 }, link: 'down', says: /link/i },
];

for (const [place, shows] of Object.entries(places)) {
  test(`${place} says what is true and comes back`, async ({ page, fake, host }) => {
    host.setState({ kind: 'absent' });
    await page.goto(`${fake.url}${place}`);
    await expectShown(page, /Engine is off/);
    await boot(host, page);
    await expectShown(page, shows);
    for (const trouble of troubles) {
      host.setState(trouble.state, trouble.link);
      await expect(page.getByText(trouble.says).filter({ visible: true }).first(), describe(trouble)).toBeVisible();
      await expect(page.getByRole('alert').filter({ hasText: /unexpected|went wrong/i })).toHaveCount(0);
    }
    await boot(host, page);
    await expectShown(page, shows);
    await expect(page.getByText(/last known state/)).toBeHidden();
    fake.cutLink();
    await expect(page.getByText('Wherry is away').first()).toBeVisible();
    fake.mendLink();
    await expect(page.getByText('Wherry is away')).toHaveCount(0);
    await expectShown(page, shows);
  });
}

function describe({ state, link }: Trouble): string {
  return `${state.kind}${state.kind === 'failed' ? ` at ${state.stage}` : ''}${link === undefined ? '' : ', link down'}`;
}

async function boot(host: FakeHost, page: Page): Promise<void> {
  host.setState({ kind: 'booting', stage: 'process', attempt: 2, startedAtMs: Date.now() });
  await expect(page.getByText(/Starting, try 2/).first()).toBeVisible();
  host.setState({ kind: 'ready', sinceMs: Date.now(), bootTookMs: 1 });
}

async function expectShown(page: Page, text: string | RegExp): Promise<void> {
  await expect(page.getByText(text).filter({ visible: true }).first()).toBeVisible();
}
