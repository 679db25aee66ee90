/** Filters of a log, JSON, and the logs of several containers in one. Against the fake host. */
import type { Page } from '@playwright/test';
import { expect, openContainer, test } from '../helpers/window-test.ts';

test('a log is filtered by stream and level', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(log).toContainText('POST /api/orders');
  await page.getByLabel('Level').selectOption('warn');
  await expect(log).toContainText('WARN');
  await expect(log).toContainText('ERROR');
  await expect(log).not.toContainText('POST /api/orders');
  await expect(log).not.toContainText('INFO');
  await page.getByLabel('Stream').selectOption('stderr');
  await expect(log).not.toContainText('WARN');
  await expect(log).toContainText('ERROR');
  await page.getByLabel('Search the log').fill('favicon');
  await expect(page.locator('.log-count')).toHaveText(/^\d+ lines$/);
  await page.getByLabel('Stream').selectOption('stdout');
  await page.getByLabel('Level').selectOption('error');
  await expect(page.getByText('No line matches')).toBeVisible();
  await page.getByRole('button', { name: 'Show all lines' }).click();
  await expect(log).toContainText('POST /api/orders');
});

test('JSON is spread over lines on demand', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(log).toContainText('{"level":"info","ts":1763798400.123,');
  await page.getByRole('button', { name: 'Spread JSON over lines' }).click();
  await expect(log.locator('.json').last()).toContainText('"ts": 1763798400.123,\n');
  await page.getByRole('button', { name: 'Spread JSON over lines' }).click();
  await expect(log.locator('.json')).toHaveCount(0);
});

test('a log whose worker does not start says so, and can be tried again', async ({ page, open }) => {
  await page.route('**/log-worker.js', (route) => route.abort());
  await open();
  await openContainer(page, 'web');
  await expect(page.getByText('keep the log: its worker did not start')).toBeVisible();
  await page.unroute('**/log-worker.js');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('log')).toContainText('POST /api/orders');
  await expect(page.getByText('keep the log')).toBeHidden();
});

test('a worker started anew is watched over too', async ({ page, host, open }) => {
  host.logStyle = 'hostile';
  let giveUp = (): void => undefined;
  const typed = new Promise<void>((resolve) => (giveUp = resolve));
  await page.route('**/log-worker.js', async (route) => {
    await typed;
    await route.abort();
  });
  await open();
  await openContainer(page, 'web');
  await page.getByRole('button', { name: 'Regular expression' }).click();
  await page.getByLabel('Search the log').fill('(L+)+x');
  giveUp();
  await expect(page.getByText('keep the log: its worker did not start')).toBeVisible();
  await page.unroute('**/log-worker.js');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.log-count.bad')).toHaveText('this expression takes too long on this log');
  await expect(page.getByRole('log')).toContainText('progress 100%');
});

test('the logs of several containers are one, by time, each in its colour', async ({ page, host, open }) => {
  host.logStyle = 'numbered';
  await open();
  await openLogsOf(page, 'web', 'orders-db');
  await expect(page.getByRole('heading', { name: 'Logs' })).toBeVisible();
  const log = page.getByRole('log');
  await expect(log.locator('.origin-0').first()).toHaveText('web');
  await expect(log.locator('.origin-1').first()).toHaveText('orders-db');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the lines kept here' }).click();
  await expect(page.getByText(/Copied [\d,]+ lines/)).toBeVisible();
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  expect(lines.length).toBeGreaterThan(60);
  expect(lines.slice(0, 4)).toEqual(['web | line 0;', 'orders-db | line 0;', 'web | line 1;', 'orders-db | line 1;']);
  // Live lines of a log that is held up for longer than others stand where they came.
  const numbers = lines.slice(0, 120).map((line) => Number(/line (\d+);/.exec(line)?.[1]));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  await page.getByLabel('Search the log').fill('line 7;');
  await expect(page.getByText('2 lines', { exact: true })).toBeVisible();
});

test('of long logs it is said that each begins with its last lines', async ({ page, host, open }) => {
  host.logStyle = 'million';
  await open();
  await openLogsOf(page, 'web', 'orders-db');
  await expect(
    page.getByText('Each log begins with its last 10,000 lines; its own page has the older ones.'),
  ).toBeVisible();
  await page.getByLabel('Search the log').fill('ERROR failed');
  await expect(page.getByText('2,500 lines', { exact: true })).toBeVisible();
});

test('which containers are shown is chosen, and survives a reload', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'Logs' }).click();
  const picker = page.getByRole('complementary', { name: 'Containers whose logs are shown' });
  await expect(picker.getByRole('checkbox', { name: 'web' })).toBeChecked();
  await expect(picker.getByRole('checkbox', { name: 'migrate' })).not.toBeChecked();
  await picker.getByRole('button', { name: 'None' }).click();
  await expect(page.getByText('No container chosen')).toBeVisible();
  await picker.getByRole('checkbox', { name: 'cache' }).check();
  await expect(page.getByRole('log')).toContainText('GET /');
  await page.reload();
  await expect(picker.getByRole('checkbox', { name: 'cache' })).toBeChecked();
  await expect(picker.getByRole('checkbox', { name: 'web' })).not.toBeChecked();
});

test('a cut link resumes every merged log with no line lost or twice', async ({ page, fake, host, open }) => {
  host.logStyle = 'numbered';
  await open();
  await page.getByRole('button', { name: 'Logs' }).click();
  const log = page.getByRole('log');
  await expect(log).toContainText(/line \d+;/);
  fake.cutLink();
  await expect(page.getByText('The stream broke.')).toBeVisible();
  fake.mendLink();
  await expect(page.getByText('The stream broke.')).toBeHidden();
  const shown = await log.locator('.log-text').last().textContent();
  await expect.poll(() => log.locator('.log-text').last().textContent()).not.toBe(shown);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the lines kept here' }).click();
  await expect(page.getByText(/Copied [\d,]+ lines/)).toBeVisible();
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  for (const name of ['web', 'orders-db', 'cache']) {
    const own = lines.filter((line) => line.startsWith(`${name} | `));
    expect(own).toEqual(own.map((_line, index) => `${name} | line ${index};`));
    expect(own.length).toBeGreaterThan(60);
  }
});

test('in a small window every tool of a log is in sight', async ({ page, open }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open();
  const reach = async () => {
    await page.getByLabel('Search the log').fill('orders');
    await expect(page.locator('.log-count')).toHaveText(/^\d+ lines$/);
    const tools = page.getByRole('toolbar', { name: 'Log tools' });
    // A click that is only tried fails where something else is in front.
    for (const tool of await tools.getByRole('button').all()) await tool.click({ trial: true });
    for (const tool of [page.locator('.log-count'), page.getByLabel('Stream')]) await tool.click({ trial: true });
  };
  await openContainer(page, 'web');
  await reach();
  await page
    .getByRole('link', { name: 'Containers' })
    .or(page.getByRole('button', { name: 'Containers' }))
    .first()
    .click();
  await openLogsOf(page, 'web', 'orders-db');
  await reach();
  await page.getByRole('button', { name: 'None' }).click({ trial: true, position: { x: 40, y: 10 } });
});

test('the tip of a button does not stand in front of what is beside it', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web');
  await page.getByRole('button', { name: 'Save the whole log' }).hover();
  const tip = page.locator('.tip');
  await expect(tip).toBeVisible();
  const box = await tip.boundingBox();
  if (box === null) throw new Error('the tip has no place');
  const front = await page.evaluate(
    ([x, y]) => document.elementFromPoint(x, y)?.closest('[data-radix-popper-content-wrapper]') ?? null,
    [box.x + box.width / 2, box.y + box.height / 2] as const,
  );
  expect(front).toBeNull();
  // Over the tip the pointer is no longer over its button.
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 });
  await expect(tip).toBeHidden();
});

/** From the list of containers. */
async function openLogsOf(page: Page, ...names: readonly string[]): Promise<void> {
  for (const name of names) await page.getByLabel(`Select ${name}`).check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Logs' }).click();
}
