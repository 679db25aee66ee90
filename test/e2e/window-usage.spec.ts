/** A container's page: stats, processes, history, and its docker run command. Against the fake host. */
import { expect, openContainer, test } from '../helpers/window-test.ts';

test('stats are drawn over time and read by pointer and keys', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Stats');
  const cpu = page.getByRole('region', { name: 'CPU' });
  await expect(cpu.locator('path')).toHaveAttribute('d', /(L[\d. ]+){200}/);
  for (const name of ['Memory', 'Network', 'Disk', 'Processes']) {
    await expect(page.getByRole('region', { name })).toBeVisible();
  }
  await expect(page.getByRole('region', { name: 'Memory' })).toContainText('of 268 MB');
  await expect(page.getByText('Now', { exact: true })).toBeVisible();
  const plot = cpu.getByRole('group');
  await plot.hover({ position: { x: 60, y: 20 } });
  const moment = page.getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await expect(moment).toBeVisible();
  await expect(page.locator('.chart-mark')).toHaveCount(5);
  await page.mouse.move(0, 0);
  await expect(page.getByText('Now', { exact: true })).toBeVisible();
  await plot.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(moment).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('Now', { exact: true })).toBeVisible();
  const short = (await cpu.locator('path').getAttribute('d'))?.length ?? 0;
  await page.getByRole('radio', { name: 'Last 15 min' }).click();
  await expect.poll(async () => (await cpu.locator('path').getAttribute('d'))?.length ?? 0).toBeGreaterThan(short);
  expect(host.statsWatched).toHaveLength(1);
  await page.getByRole('tab', { name: 'Logs' }).click();
  await expect.poll(() => host.statsWatched).toEqual([]);
});

test('processes are listed, and hostile ones are inert', async ({ page, host, open }) => {
  await open();
  await openContainer(page, 'web', 'Processes');
  const table = page.getByRole('table', { name: 'Processes' });
  await expect(table.getByRole('row')).toHaveCount(4);
  await expect(table).toContainText('nginx: worker process');
  await expect(table).toContainText('<img src=x onerror="window.hacked=1"> ⟨202E⟩gnp');
  const [web] = host.containers.current;
  host.containers.set(
    host.containers.current.map((view) => (view === web ? { ...view, state: 'exited', status: 'Exited (0)' } : view)),
  );
  await expect(page.getByText('The container does not run.')).toBeVisible();
});

test('history tells what happens to this container only', async ({ page, host, open }) => {
  await open();
  const [web, other] = host.containers.current;
  const event = (id: string | undefined, action: string, attributes: Record<string, string> = {}) =>
    host.objects.emit({ type: 'container', action, actorId: id ?? '', attributes, timeNano: Date.now() * 1e6 });
  await openContainer(page, 'web', 'History');
  const list = page.getByRole('list', { name: 'History' });
  // Until the stream is open nobody hears it.
  await expect(async () => {
    event(web?.id, 'start');
    await expect(list.getByRole('listitem').first()).toContainText('Started', { timeout: 500 });
  }).toPass();
  event(other?.id, 'oom');
  event(web?.id, 'top');
  event(web?.id, 'die', { exitCode: '137', image: '<b>x</b>' });
  await expect(list.getByRole('listitem').first()).toContainText('Ended with code 137');
  await expect(list.getByRole('listitem').first()).toContainText('<b>x</b>');
  await expect(list).not.toContainText('out of memory');
  await expect(list).not.toContainText('top');
});

test('the docker run command is copied', async ({ page, context, open }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open();
  await openContainer(page, 'web');
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Copy docker run command' }).click();
  await expect(page.getByText('Copied the docker run command of web')).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^docker run -d \\\n {2}--name web \\\n/);
  expect(text).toContain('--memory 268435456');
});
