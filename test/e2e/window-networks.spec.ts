/** Networks: the list, the drawn plan, made, removed, joined and left. */
import { hostileNames } from '../helpers/hostile-text.ts';
import { expect, goTo, inputsOf, rowOf, test } from '../helpers/window-test.ts';

test('a network is made once its fields are right; the engine’s refusal keeps what was typed', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Networks');
  await page.getByRole('button', { name: 'Create network' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Subnet').fill('172.18.0.0');
  await dialog.getByLabel('Gateway').fill('here');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByText('Type a name.')).toBeVisible();
  await expect(dialog.getByText('A subnet looks like')).toBeVisible();
  await expect(dialog.getByText('An address looks like')).toBeVisible();
  expect(inputsOf(host, 'networks.create')).toEqual([]);
  await dialog.getByLabel('Name', { exact: true }).fill('orders');
  await dialog.getByLabel('Subnet').fill('172.18.0.0/16');
  await dialog.getByLabel('Gateway').fill('172.18.0.9');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByText(/Pool overlaps with other one/)).toBeVisible();
  await dialog.getByLabel('Subnet').fill('172.31.0.0/16');
  await dialog.getByLabel('Gateway').fill('172.31.0.9');
  await dialog.getByLabel('Internal').check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'orders', level: 1 })).toBeVisible();
  await expect(page.getByText('172.31.0.0/16')).toBeVisible();
  expect(inputsOf(host, 'networks.create').at(-1)).toEqual({
    name: 'orders',
    subnet: '172.31.0.0/16',
    gateway: '172.31.0.9',
    internal: true,
    ipv6: false,
    subnet6: '',
    labels: {},
  });
});

test('IPv6 is switched on, with a subnet of one’s own or the engine’s, and told on the page', async ({
  page,
  host,
  open,
}) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open();
  await goTo(page, 'Networks');
  await page.getByRole('button', { name: 'Create network' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('six');
  await expect(dialog.getByLabel('IPv6 subnet')).toBeHidden();
  await dialog.getByLabel('IPv6', { exact: true }).check();
  await dialog.getByLabel('IPv6 subnet').fill('172.30.0.0/16');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByText('An IPv6 subnet looks like')).toBeVisible();
  await page.screenshot({ path: 'test-results/network-ipv6.png' });
  await dialog.getByLabel('IPv6 subnet').fill('fd00:77::/64');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'six', level: 1 })).toBeVisible();
  await expect(page.getByText('fd00:77::/64')).toBeVisible();
  await expect(page.getByText('On', { exact: true })).toBeVisible();
  expect(inputsOf(host, 'networks.create').at(-1)).toMatchObject({ ipv6: true, subnet6: 'fd00:77::/64' });
  await goTo(page, 'Networks');
  await rowOf(page, 'shop_front').getByText('shop_front').click();
  await expect(page.getByText('fd12:3456:789a::2')).toBeVisible();
});

test('a container is connected under one more name, and disconnected after a question', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Networks');
  await rowOf(page, 'empty-net').getByText('empty-net').click();
  await expect(page.getByText('No container is on it.')).toBeVisible();
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Container').selectOption('web');
  await dialog.getByLabel('Other names').fill('www  front');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByText('Connected web to empty-net')).toBeVisible();
  await expect(page.getByText('172.20.0.9')).toBeVisible();
  const network = host.objects.networks.current.find(({ name }) => name === 'empty-net');
  const web = host.containers.current.find(({ name }) => name === 'web');
  expect(inputsOf(host, 'networks.connect')).toEqual([
    { id: network?.id, containerId: web?.id, aliases: ['www', 'front'] },
  ]);
  await expect(page.getByRole('button', { name: 'Remove' })).toBeDisabled();
  await page.getByRole('button', { name: 'Disconnect web' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  expect(inputsOf(host, 'networks.disconnect')).toEqual([]);
  await page.getByRole('button', { name: 'Disconnect web' }).click();
  await expect(page.getByRole('alertdialog')).toContainText('connections over this network break');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click();
  await expect(page.getByText('No container is on it.')).toBeVisible();
  expect(inputsOf(host, 'networks.disconnect')).toEqual([{ id: network?.id, containerId: web?.id }]);
});

test('removing asks, says who needs the network, and refuses what is in use', async ({ page, host, open }) => {
  await open();
  await goTo(page, 'Networks');
  await rowOf(page, 'shop_front').getByText('shop_front').focus();
  await rowOf(page, 'shop_front').press('Delete');
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('shop_front cannot be removed');
  await expect(dialog).toContainText('web, worker');
  await expect(dialog.getByRole('button', { name: 'Remove' })).toBeDisabled();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await rowOf(page, 'empty-net').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('Removed empty-net')).toBeVisible();
  await expect(rowOf(page, 'empty-net')).toBeHidden();
  expect(inputsOf(host, 'networks.remove')).toHaveLength(1);
  await rowOf(page, 'host').getByRole('button', { name: 'More actions' }).click();
  await expect(page.getByRole('menuitem', { name: 'Copy ID' })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: 'Remove…' })).toBeHidden();
  await expect(page.getByRole('menuitem', { name: /Connect/ })).toBeHidden();
});

test('cleaning up names what goes; a network that came into use meanwhile is kept and why is said', async ({
  page,
  host,
  open,
}) => {
  await open();
  await goTo(page, 'Networks');
  await page.getByRole('button', { name: 'Clean up' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog.getByRole('listitem')).toHaveText(['empty-net']);
  const [web] = host.objects.networks.current.flatMap(({ members }) => members.filter(({ name }) => name === 'web'));
  if (web === undefined) throw new Error('web is on no network');
  // Behind the window's back: the topic is not told, as when the container starts just now.
  host.objects.networks.current = host.objects.networks.current.map((network) =>
    network.name === 'empty-net' ? { ...network, members: [web] } : network,
  );
  await dialog.getByRole('button', { name: 'Remove 1 network' }).click();
  await expect(page.getByText('remove empty-net: network empty-net has active endpoints')).toBeVisible();
});

test('the map draws who is on which network under which address, and leads there', async ({ page, open }) => {
  await open();
  await goTo(page, 'Networks');
  await page.getByRole('radio', { name: 'Map' }).click();
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: /shop_back/ }) });
  await expect(row).toContainText('172.19.0.2');
  await expect(page.getByRole('rowheader', { name: /empty-net/ })).toBeVisible();
  await expect(page.getByRole('rowheader', { name: /none/ })).toBeHidden();
  await page
    .getByRole('columnheader', { name: /orders-db/ })
    .getByRole('button')
    .click();
  await expect(page.getByRole('heading', { name: 'orders-db', level: 1 })).toBeVisible();
});

test('hostile names are inert in the list and on the map', async ({ page, host, open }) => {
  const some = host.objects.networks.current.find(({ name }) => name === 'shop_back');
  const member = some?.members[0];
  if (some === undefined || member === undefined) throw new Error('no network');
  host.objects.networks.set(
    hostileNames.map((name, index) => ({
      ...some,
      id: `n${index}`,
      name,
      labels: { [name]: name },
      members: [{ ...member, id: `m${index}`, name, aliases: [name] }],
    })),
  );
  await open();
  await goTo(page, 'Networks');
  const wide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  await expect(page.getByText('<img src=x onerror="window.hacked=1">').first()).toBeVisible();
  expect(await page.evaluate(wide)).toBe(false);
  await page.getByRole('radio', { name: 'Map' }).click();
  await expect(page.getByRole('rowheader').filter({ hasText: '⟨202E⟩gnp.exe' })).toBeVisible();
  for (const row of await page.getByRole('row').all()) {
    expect((await row.boundingBox())?.height ?? 0).toBeLessThan(100);
  }
  await page.getByRole('rowheader').getByRole('button', { name: '<img src=x' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('<img src=x onerror="window.hacked=1">');
  expect(await page.evaluate(wide)).toBe(false);
});
