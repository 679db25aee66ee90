/**
 * Every screen, in light and dark: axe finds nothing serious (WCAG 2.2 A and AA), and a picture is kept in
 * test/e2e/screenshots. Against the fake host.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import type { FakeHost } from '../helpers/fake-host.ts';
import { expect, rowOf, test } from '../helpers/window-test.ts';

// They share nothing: both workers take of them.
test.describe.configure({ mode: 'parallel' });

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface View {
  /** As a link names it. */
  readonly at: string;
  /** What is there once it is drawn. */
  readonly shows: string | RegExp;
  readonly before?: (host: FakeHost) => void;
  readonly then?: (page: Page) => Promise<void>;
}

const press = (name: string | RegExp) => async (page: Page) =>
  page.getByRole('button', { name }).filter({ visible: true }).first().click();

const views: Readonly<Record<string, View>> = {
  containers: { at: '/containers', shows: 'web' },
  'container-logs': { at: '/containers/web/logs', shows: /GET|listening|started/i },
  'container-stats': { at: '/containers/web/stats', shows: 'Memory' },
  'container-processes': { at: '/containers/web/processes', shows: 'COMMAND' },
  'container-history': { at: '/containers/web/history', shows: 'Started' },
  'container-overview': { at: '/containers/web/overview', shows: 'Image' },
  'container-inspect': { at: '/containers/web/inspect', shows: 'Id' },
  'container-files': { at: '/containers/web/files', shows: 'notes.txt' },
  'edit-dialog': {
    at: '/containers/web/logs',
    shows: 'web',
    then: async (page) => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Edit…' }).click();
      // What is behind it is not read any more once it is there.
      await expect(page.getByRole('dialog').getByLabel('Memory')).toBeVisible();
    },
  },
  images: { at: '/images', shows: 'postgres:17' },
  image: { at: '/images/postgres%3A17', shows: 'postgres:17' },
  'image-layers': {
    at: '/images/nginx%3A1.29',
    shows: 'nginx:1.29',
    then: async (page) => {
      await page.getByRole('tab', { name: /^Layers/ }).click();
      await page.getByRole('button', { name: /groupadd/ }).click();
      await page.getByRole('treeitem', { name: /etc/ }).click();
      await expect(page.getByRole('treeitem', { name: /motd/ })).toBeVisible();
    },
  },
  'image-wasted': {
    at: '/images/nginx%3A1.29',
    shows: 'nginx:1.29',
    then: async (page) => {
      await page.getByRole('tab', { name: /^Layers/ }).click();
      await page.getByRole('radio', { name: /^Wasted/ }).click();
    },
  },
  'pull-dialog': { at: '/images', shows: 'postgres:17', then: press(/^Pull image/) },
  'build-dialog': { at: '/images', shows: 'postgres:17', then: press('Build') },
  'run-dialog': { at: '/containers', shows: 'web', then: press('Run') },
  volumes: { at: '/volumes', shows: 'web-data' },
  volume: { at: '/volumes/web-data', shows: 'web-data' },
  'volume-files': {
    at: '/volumes/web-data',
    shows: 'web-data',
    then: async (page) => {
      await page.getByRole('tab', { name: 'Files' }).click();
      await expect(page.getByText('notes.txt')).toBeVisible();
    },
  },
  'clone-volume-dialog': { at: '/volumes/web-data', shows: 'web-data', then: press('Clone') },
  networks: { at: '/networks', shows: 'shop_back' },
  'networks-map': {
    at: '/networks',
    shows: 'shop_back',
    then: async (page) => page.getByRole('radio', { name: 'Map' }).click(),
  },
  network: { at: '/networks/shop_back', shows: 'shop_back' },
  registries: { at: '/registries', shows: 'registry.example:5000', then: press('Test Docker Hub') },
  registry: { at: '/registries/registry.example%3A5000', shows: 'team/app' },
  'registry-tags': {
    at: '/registries/registry.example%3A5000',
    shows: 'team/app',
    then: async (page) => {
      await rowOf(page, 'team/app').getByText('team/app').click();
      await expect(page.getByText('1.10')).toBeVisible();
    },
  },
  'pull-tags': {
    at: '/images',
    shows: 'postgres:17',
    then: async (page) => {
      await press(/^Pull image/)(page);
      await page.getByRole('combobox', { name: 'Image' }).fill('nginx:1');
      await page.getByRole('option', { name: '1.29-alpine' }).waitFor();
      await page.keyboard.press('ArrowDown');
    },
  },
  'search-dialog': {
    at: '/images',
    shows: 'postgres:17',
    then: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Find an action' }).fill('search images');
      await page.keyboard.press('Enter');
      await page.getByLabel('Search for').fill('nginx');
      await expect(page.getByText('Official build of Nginx.')).toBeVisible();
    },
  },
  'login-dialog': { at: '/registries', shows: 'registry.example:5000', then: press('Log in') },
  logs: { at: '/logs', shows: 'Logs' },
  events: { at: '/events', shows: 'Events' },
  engine: { at: '/engine', shows: 'Stages', then: press('Check everything') },
  'engine-settings': {
    at: '/engine',
    shows: 'Stages',
    then: async (page) => page.getByRole('radio', { name: 'Settings' }).click(),
  },
  'engine-settings-end': {
    at: '/engine',
    shows: 'Stages',
    before: (host) => (host.shell = { shell: 'electron', canStartAtLogin: true }),
    then: async (page) => {
      await page.getByRole('radio', { name: 'Settings' }).click();
      await page.getByText('/home/sam/.wherry').scrollIntoViewIfNeeded();
    },
  },
  palette: { at: '/containers', shows: 'web', then: async (page) => page.keyboard.press('Control+k') },
  shortcuts: { at: '/containers', shows: 'web', then: async (page) => page.keyboard.press('?') },
  'remove-dialog': {
    at: '/containers',
    shows: 'web',
    then: async (page) => {
      await rowOf(page, 'web').hover();
      await rowOf(page, 'web').getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Remove…' }).click();
    },
  },
  'engine-off': {
    at: '/containers',
    shows: /off|stopped/i,
    before: (host) => host.setState({ kind: 'absent' }),
  },
  'engine-failed': {
    at: '/containers',
    shows: /no answer/,
    before: (host) =>
      host.setState({
        kind: 'failed',
        stage: 'ssh',
        message: 'Secure link: no answer within 30 s',
        hint: 'Try again.',
      }),
  },
};

for (const [name, view] of Object.entries(views)) {
  test(`${name} is readable by everybody`, async ({ page, fake, host }) => {
    view.before?.(host);
    await page.goto(`${fake.url}${view.at}`);
    await expect(page.getByText(view.shows).filter({ visible: true }).first()).toBeVisible();
    await view.then?.(page);
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.screenshot({
        path: path.join(import.meta.dirname, 'screenshots', `${name}-${scheme}.png`),
        animations: 'disabled',
      });
      expect(await findings(page, scheme), scheme).toEqual([]);
    }
  });
}

/** Serious and critical ones, with where they are. Dark differs from light in colours alone. */
async function findings(page: Page, scheme: 'light' | 'dark'): Promise<string[]> {
  const rules = scheme === 'light' ? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] : ['color-contrast'];
  // Not as a script of the page, whose policy lets only its own run.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, { runOnly: ${JSON.stringify(rules)} })`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html }) => html.slice(0, 300)).join('\n')}`);
}
