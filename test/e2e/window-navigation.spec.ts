/** Getting about: keys, back and forward, links, the last place, and the palette over every noun. */
import { expect, goTo, inputsOf, test } from '../helpers/window-test.ts';

test('a link opens what it names, by name, in a window that was never there', async ({ page, fake }) => {
  for (const [link, heading] of [
    ['/containers/web/inspect', 'web'],
    ['/volumes/web-data', 'web-data'],
    ['/networks/shop_back', 'shop_back'],
    ['/images/postgres%3A17', 'postgres:17'],
    ['/registries', 'Registries'],
    ['/registries/registry.example%3A5000', 'registry.example:5000'],
    ['/events', 'Events'],
  ] as const) {
    await page.goto('about:blank');
    await page.goto(`${fake.url}${link}`);
    await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
    expect(page.url()).not.toContain('#');
  }
});

test('a link followed in an open window goes there, and the same one goes there again', async ({ page, open }) => {
  await open();
  for (let time = 0; time < 2; time += 1) {
    await goTo(page, 'Images');
    await page.evaluate(() => (location.hash = '/containers/web/inspect'));
    await expect(page.getByRole('heading', { name: 'web', level: 1 })).toBeVisible();
    await expect(page.getByRole('tab', { name: 'Inspect' })).toHaveAttribute('aria-selected', 'true');
  }
});

test('a link to what is not there says so; nonsense is ignored', async ({ page, fake, open }) => {
  await open();
  await page.evaluate(() => (location.hash = '/volumes/no%3Cb%3Esuch'));
  await expect(page.getByText('There is no volume named no<b>such')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Volumes', level: 1 })).toBeVisible();
  await page.goto('about:blank');
  await page.goto(`${fake.url}/containers/%E0%A4%A`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('the window opens where the last one was', async ({ page, fake, open }) => {
  await open();
  await goTo(page, 'Networks');
  const next = await page.context().newPage();
  await next.goto(fake.url);
  await expect(next.getByRole('heading', { name: 'Networks', level: 1 })).toBeVisible();
});

test('the palette finds every noun and does what the buttons do', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Events');
  const find = async (words: string) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill(words);
    await page.keyboard.press('Enter');
  };
  await find('orders_data');
  await expect(page.getByRole('heading', { name: 'orders_data', level: 1 })).toBeVisible();
  await find('shop_front');
  await expect(page.getByRole('heading', { name: 'shop_front', level: 1 })).toBeVisible();
  await find('remove old_backup');
  await expect(page.getByRole('alertdialog')).toContainText('Remove old_backup?');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => inputsOf(host, 'volumes.remove')).toEqual([{ names: ['old_backup'] }]);
  await find('create a network');
  await expect(page.getByRole('dialog', { name: 'Create a network' })).toBeVisible();
  await page.keyboard.press('Escape');
  await find('connect a container to empty-net');
  await expect(page.getByRole('dialog', { name: 'Connect a container' })).toBeVisible();
});
