/** The events feed: what was kept, what comes, found again, and inert. */
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, test } from '../helpers/window-test.ts';

function event(action: string, name: string, attributes: Readonly<Record<string, string>> = {}) {
  return {
    type: 'container',
    action,
    actorId: 'e'.repeat(64),
    attributes: { name, ...attributes },
    timeNano: Date.now() * 1e6,
  };
}

test('shows what was kept, then what comes, newest first and in words', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Events');
  const rows = page.getByRole('log', { name: 'Events' }).getByRole('listitem');
  await expect(rows).toHaveCount(7);
  host.objects.emit(event('start', 'fresh'));
  await expect(rows.first()).toContainText('fresh');
  await expect(rows.first()).toContainText('started');
  host.objects.emit(event('die', 'fresh', { exitCode: '3' }));
  await expect(rows.first()).toContainText('ended with code 3');
  await expect(rows).toHaveCount(9);
});

test('hostile text is inert', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Events');
  for (const name of hostileNames) host.objects.emit({ ...event(name, name, { [name]: name }), type: name });
  const rows = page.getByRole('log', { name: 'Events' }).getByRole('listitem');
  await expect(rows).toHaveCount(7 + hostileNames.length);
  await expect(rows.filter({ hasText: '⟨202E⟩gnp.exe' })).toBeVisible();
  for (const row of await rows.all()) expect((await row.boundingBox())?.height ?? 0).toBeLessThan(60);
  expect(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)).toBe(
    false,
  );
});
