/** A container's page: its log, terminals, overview and inspect. Against the fake host. */
import path from 'node:path';
import { expect, inputsOf, openContainer, test } from '../helpers/window-test.ts';

test('follows the log, stops when scrolled up, and jumps back to live', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(log).toContainText('POST /api/orders');
  await log.hover();
  await page.mouse.wheel(0, -2000);
  const live = page.getByRole('button', { name: 'Jump to live' });
  await expect(live).toBeVisible();
  const before = await log.evaluate((pane) => pane.scrollTop);
  await page.waitForTimeout(1500);
  expect(await log.evaluate((pane) => pane.scrollTop)).toBe(before);
  await live.click();
  await expect(live).toBeHidden();
  await expect
    .poll(() => log.evaluate((pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight))
    .toBeLessThan(30);
});

test('searches with counts, next and previous, and regular expressions', async ({ page, host, open }) => {
  host.logStyle = 'million';
  await open();
  await openContainer(page, 'web');
  await expect(page.getByText('Showing the last 50,000 lines')).toBeVisible();
  const field = page.getByLabel('Search the log');
  await field.fill('ERROR failed');
  await expect(page.getByText('6,250 lines')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByText('6,250 of 6,250')).toBeVisible();
  await expect(page.locator('mark.current').first()).toHaveText(/ERROR/);
  await page.getByRole('button', { name: 'Previous match' }).click();
  await expect(page.getByText('6,249 of 6,250')).toBeVisible();
  await page.getByRole('button', { name: 'Regular expression' }).click();
  await field.fill('^09999\\d\\d .*GET');
  await expect(page.getByText('24 lines')).toBeVisible();
  await field.fill('(');
  await expect(page.locator('.log-count.bad')).toBeVisible();
});

test('older lines come when they are scrolled to or asked for, to the very first of a million', async ({
  page,
  host,
  open,
}) => {
  host.logStyle = 'million';
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(page.getByText('Showing the last 50,000 lines.')).toBeVisible();
  await expect(log).toContainText('0999999 ');
  await page.getByRole('button', { name: 'Load older ones' }).click();
  await expect(page.getByText('Showing the last 100,000 lines.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Jump to live' })).toBeVisible();
  await expect(log, 'what is read stays where it is').toContainText('0999999 ');
  await log.evaluate((pane) => (pane.scrollTop = 3000));
  const top = () =>
    log.evaluate((pane) => {
      const { top } = pane.getBoundingClientRect();
      const row = [...pane.querySelectorAll('.log-row')].find((each) => each.getBoundingClientRect().bottom > top + 1);
      return row?.querySelector('.log-text')?.textContent.slice(0, 7);
    });
  await expect.poll(top).toBe('0900150');
  await log.evaluate((pane) => (pane.scrollTop = 60));
  await expect(page.getByText('Showing the last 200,000 lines.')).toBeVisible();
  await expect.poll(top).toBe('0900003');
  await log.evaluate((pane) => (pane.scrollTop = 20));
  await expect.poll(() => log.evaluate((pane) => pane.scrollTop), 'what is before it is laid out').toBeGreaterThan(1e6);
  await expect.poll(top).toBe('0900001');
  for (const count of ['400,000', '800,000']) {
    await page.getByRole('button', { name: 'Load older ones' }).click();
    await expect(page.getByText(`Showing the last ${count} lines.`)).toBeVisible();
    await expect.poll(top).toBe('0900001');
  }
  await page.getByRole('button', { name: 'Load older ones' }).click();
  await expect(page.getByText('Showing the last')).toBeHidden();
  await page.getByLabel('Search the log').fill('ERROR failed');
  await expect(page.getByText('125,000 lines', { exact: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByText('125,000 of 125,000')).toBeVisible();
  await expect(log.locator('.log-row.current')).toContainText('0999996 ');
  await expect(page.getByRole('button', { name: 'Jump to live' }), 'the end is in sight by chance').toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByText('1 of 125,000')).toBeVisible();
  await expect(log.locator('.log-row.current')).toContainText('0000004 ');
  await log.evaluate((pane) => (pane.scrollTop = 0));
  await expect(log).toContainText('0000000 ');
  const onward = async () => {
    await log.evaluate((pane) => (pane.scrollTop = pane.scrollHeight));
    return top();
  };
  await expect.poll(onward, 'it goes on beyond what a page can hold at once').toMatch(/^0[5-9]/);
  await page.getByLabel('Search the log').fill('');
  await log.press('Home');
  await expect.poll(top).toBe('0000000');
  await log.press('End');
  await expect(log).toContainText('0999999 ');
  await expect(page.getByRole('button', { name: 'Jump to live' })).toBeHidden();
  await page.getByRole('button', { name: 'Copy the lines kept here' }).click();
  await expect(page.getByText('too many for the clipboard')).toBeVisible();
});

test('an expression that would take for ever is given up, and the log is there again', async ({ page, host, open }) => {
  host.logStyle = 'hostile';
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(log).toContainText('progress 100%');
  await page.getByRole('button', { name: 'Regular expression' }).click();
  await page.getByLabel('Search the log').fill('(L+)+x');
  await page.getByRole('button', { name: 'Timestamps' }).click();
  await expect(log.locator('time').first(), 'the window answers meanwhile').toBeVisible();
  await expect(page.locator('.log-count.bad')).toHaveText('this expression takes too long on this log');
  await expect(log).toContainText('progress 100%');
  await page.getByLabel('Search the log').fill('prog.ess');
  await expect(page.getByText('1 line', { exact: true })).toBeVisible();
});

test('hostile lines are shown, not obeyed', async ({ page, host, open }) => {
  host.logStyle = 'hostile';
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await log.evaluate((pane) => (pane.scrollTop = 0));
  await expect(log).toContainText('<script>window.hacked = 1</script>');
  await expect(log).toContainText('reversed ⟨202E⟩ gnp.exe');
  await expect(log).toContainText('progress 100%');
  await expect(log).not.toContainText('progress 10%');
  await expect(log).not.toContainText('new title');
  expect(await page.title()).toBe('Wherry');
  await expect(log.getByRole('button', { name: /kB more/ })).toBeVisible();
  await log.evaluate((pane) => (pane.scrollTop = pane.scrollHeight));
  await expect(log.locator('.bg-1').filter({ hasText: 'into the next line until reset' })).toBeVisible();
  await expect(log.locator('.bg-1').filter({ hasText: /^reset$/ })).toHaveCount(0);
});

test('a cut link resumes the log with no line lost or twice', async ({ page, fake, host, open }) => {
  host.logStyle = 'numbered';
  await open();
  await openContainer(page, 'web');
  const log = page.getByRole('log');
  await expect(log).toContainText(/line \d+;/);
  for (let cut = 0; cut < 2; cut += 1) {
    fake.cutLink();
    await expect(page.getByText('The stream broke.')).toBeVisible();
    await page.waitForTimeout(300);
    fake.mendLink();
    await expect(page.getByText('The stream broke.')).toBeHidden();
    await page.waitForTimeout(500);
  }
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the lines kept here' }).click();
  await expect(page.getByText(/Copied [\d,]+ lines/)).toBeVisible();
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  expect(lines).toEqual(lines.map((_line, index) => `line ${index};`));
  expect(lines.length).toBeGreaterThan(60);
});

test('a flood keeps the window answering', async ({ page, host, open }) => {
  host.logStyle = 'flood';
  await open();
  await openContainer(page, 'web');
  await expect(page.getByText(/Showing the last \d+,\d+ lines/)).toBeVisible();
  await page.getByLabel('Search the log').fill('orders');
  await expect(page.locator('.log-count')).toHaveText(/\d,\d{3}…? lines/);
  await page.getByRole('tab', { name: 'Overview' }).click();
  await expect(page.getByRole('heading', { name: 'Limits' })).toBeVisible();
});

test('several terminals keep their text over tabs, screens and a reload', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Terminal');
  const screen = page.locator('.xterm-rows');
  const terminal = (number: number) =>
    page.getByRole('group', { name: 'Terminals' }).getByRole('button', { name: new RegExp(`^${number}`) });
  await expect(screen).toContainText('root@fake');
  await page.keyboard.type('first\r');
  await expect(screen).toContainText('sh: first: not found');
  await page.getByRole('button', { name: 'Open another terminal' }).click();
  await expect(terminal(2)).toHaveAttribute('aria-pressed', 'true');
  await expect(screen).not.toContainText('first');
  await page.keyboard.type('second\r');
  await expect(screen).toContainText('sh: second: not found');
  await terminal(1).click();
  await expect(screen).toContainText('sh: first: not found');
  await page.getByRole('tab', { name: 'Logs' }).click();
  await page.getByRole('tab', { name: 'Terminal' }).click();
  await expect(screen).toContainText('sh: first: not found');
  await page.getByRole('button', { name: 'Images' }).click();
  await page.goBack();
  await expect(screen).toContainText('sh: first: not found');
  await page.reload();
  await terminal(1).click();
  await expect(screen).toContainText('sh: first: not found');
  expect(inputsOf(host, 'terminals.open')).toHaveLength(2);
});

test('terminals stand side by side, one of them with the keys', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Terminal');
  const panes = page.locator('.terminal-pane');
  await expect(panes.first()).toContainText('root@fake');
  const splitButton = page.getByRole('button', { name: 'Split' });
  await splitButton.click();
  await expect(panes).toHaveCount(2);
  await page.keyboard.type('right\r');
  await expect(panes.nth(1)).toContainText('sh: right: not found');
  await panes.nth(0).locator('.xterm-screen').click();
  await page.keyboard.type('left\r');
  await expect(panes.nth(0)).toContainText('sh: left: not found');
  await expect(panes.nth(1)).not.toContainText('left');
  await splitButton.click();
  await expect(panes).toHaveCount(3);
  await page.keyboard.type('middle\r');
  await expect(panes.nth(1)).toContainText('sh: middle: not found');
  await page.screenshot({ path: path.join(import.meta.dirname, 'screenshots', 'terminals-split.png') });
  await page.getByRole('tab', { name: 'Logs' }).click();
  await page.getByRole('tab', { name: 'Terminal' }).click();
  await expect(panes).toHaveCount(3);
  await page.getByRole('button', { name: 'Close terminal 1' }).click();
  await expect(panes).toHaveCount(2);
  await page.getByRole('button', { name: 'Show this terminal alone' }).click();
  await expect(panes).toHaveCount(1);
  await page.getByRole('button', { name: 'Other terminals' }).click();
  await page.getByRole('menuitem', { name: 'Shell as root' }).click();
  await page.getByRole('button', { name: 'Other terminals' }).click();
  await page.getByRole('menuitem', { name: 'Toolbox shell' }).click();
  await expect.poll(() => inputsOf(host, 'terminals.open').length).toBe(5);
  expect(inputsOf(host, 'terminals.open').slice(3)).toMatchObject([{ user: '0' }, { toolbox: true }]);
});

test('a terminal fits its place and tells the program', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web', 'Terminal');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('root@fake');
  await page.keyboard.type('size\r');
  await expect(screen).toContainText(/\d+x\d+/);
  const wide = /(\d+)x(\d+)/.exec((await screen.textContent()) ?? '');
  await page.setViewportSize({ width: 900, height: 600 });
  await page.waitForTimeout(300);
  await page.keyboard.type('size\r');
  await expect.poll(async () => [...((await screen.textContent()) ?? '').matchAll(/(\d+)x(\d+)/g)].length).toBe(2);
  const narrow = [...((await screen.textContent()) ?? '').matchAll(/(\d+)x(\d+)/g)].at(-1);
  expect(Number(narrow?.[1])).toBeLessThan(Number(wide?.[1]));
  expect(Number(narrow?.[2])).toBeLessThan(Number(wide?.[2]));
});

test('a terminal copies and pastes', async ({ page, context, open }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open();
  await openContainer(page, 'web', 'Terminal');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('root@fake');
  await page.evaluate(() => navigator.clipboard.writeText('pasted-words'));
  await page.keyboard.press('Control+Shift+V');
  await expect(screen).toContainText('pasted-words');
  const box = await screen.locator('span').filter({ hasText: 'pasted-words' }).last().boundingBox();
  await page.mouse.dblclick((box?.x ?? 0) + (box?.width ?? 0) - 20, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.keyboard.press('Control+Shift+C');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('pasted');
});

test('an ended terminal says its exit code and opens again', async ({ page, open }) => {
  await open();
  await openContainer(page, 'web', 'Terminal');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('root@fake');
  await page.keyboard.type('exit 3\r');
  await expect(page.getByText('Ended with exit code 3.')).toBeVisible();
  await page.getByRole('button', { name: 'Open again' }).click();
  await expect(page.getByText('Ended with exit code 3.')).toBeHidden();
  await expect(screen).toContainText('root@fake');
  await expect(screen).not.toContainText('exit 3');
});

test('a terminal comes back after a cut link', async ({ page, fake, open }) => {
  await open();
  await openContainer(page, 'web', 'Terminal');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('root@fake');
  await page.keyboard.type('before\r');
  await expect(screen).toContainText('sh: before: not found');
  fake.cutLink();
  await expect(page.getByText('The terminal comes back by itself.')).toBeVisible();
  fake.mendLink();
  await expect(page.getByText('The terminal comes back by itself.')).toBeHidden();
  await page.keyboard.type('after\r');
  await expect(screen).toContainText('sh: after: not found');
  await expect(screen).toContainText('sh: before: not found');
});

test('inspect is searched and copied from', async ({ page, context, open }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open();
  await openContainer(page, 'web', 'Inspect');
  const tree = page.getByRole('tree');
  await expect(tree).toContainText('RestartPolicy');
  await expect(tree).not.toContainText('unless-stopped');
  await page.getByLabel('Search names and values').fill('unless-stopped');
  await expect(page.getByText('1 of 1')).toBeVisible();
  const hit = tree.getByRole('treeitem').filter({ hasText: 'unless-stopped' });
  await hit.hover();
  await hit.getByRole('button', { name: 'Copy path' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('.HostConfig.RestartPolicy.Name');
});

test('the overview says why a container ended', async ({ page, open }) => {
  await open();
  await openContainer(page, 'mailer', 'Overview');
  await expect(page.getByRole('alert')).toContainText('Killed for lack of memory');
  await expect(page.getByText('exit code 137')).toBeVisible();
  await expect(page.getByText('volume web-data → /usr/share/nginx/html')).toBeVisible();
});
