/** The window from connecting to ready, and what it says when that goes wrong. Against the fake host. */
import type { VmStage } from '../../src-main/contract/vm.ts';
import { vmStages } from '../../src-main/contract/vm.ts';
import { expect, inputsOf, test } from '../helpers/window-test.ts';

test('shows each stage as it comes and then the containers', async ({ page, host, open }) => {
  host.setState({ kind: 'absent' });
  host.bootStepMs = 150;
  await open();
  await expect(page.getByRole('heading', { name: 'Engine is off' })).toBeVisible();
  await page.getByRole('button', { name: 'Start the engine' }).click();
  await expect(page.getByRole('heading', { name: 'Starting the engine' })).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'Files and disks' })).toContainText('done');
  await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
});

const names: Readonly<Record<VmStage, string>> = {
  prepare: 'Files and disks',
  process: 'Virtual machine',
  monitor: 'Machine monitor',
  ssh: 'Secure link',
  agent: 'Agent',
  disk: 'Data disk',
  network: 'Network',
  engine: 'Engine',
};

for (const stage of vmStages) {
  test(`a failure at ${stage} names the stage, the next step, and mends with one button`, async ({
    page,
    host,
    open,
  }) => {
    host.bootStepMs = 10;
    host.setState({ kind: 'failed', stage, message: `no answer from ${stage}`, hint: 'Look at the console.' });
    await open();
    await expect(page.getByRole('heading', { name: `The engine did not start: ${names[stage]}` })).toBeVisible();
    await expect(page.getByRole('main').getByText(`no answer from ${stage}`)).toBeVisible();
    await expect(page.getByText('Look at the console.')).toBeVisible();
    await expect(page.getByRole('listitem').filter({ hasText: names[stage] }).first()).toContainText('failed');
    await page.getByRole('button', { name: 'Mend and try again' }).click();
    await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible();
    expect(inputsOf(host, 'vm.mend')).toHaveLength(1);
  });
}

test('the serial console opens beside a failed boot, without its escape sequences', async ({ page, host, open }) => {
  host.setState({ kind: 'failed', stage: 'agent', message: 'no answer', hint: 'Look at the console.' });
  await open();
  await page.getByRole('button', { name: 'Serial console' }).click();
  const serial = page.getByLabel('Serial console').locator('pre');
  await expect(serial).toContainText('erofs: (device vda): mounted');
  await expect(serial).not.toContainText('[32m');
});

test('a lost host dims the last known data, says so, and everything comes back by itself', async ({
  page,
  fake,
  host,
  open,
}) => {
  await open();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
  fake.cutLink();
  await expect(page.getByText('What you see is the last known state.')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'orders-db' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeDisabled();
  host.containers.set(host.containers.current.filter(({ name }) => name !== 'cache'));
  fake.mendLink();
  await expect(page.getByText('What you see is the last known state.')).toBeHidden();
  await expect(page.getByRole('row').filter({ hasText: 'cache' })).toBeHidden();
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeEnabled();
});

test('a link down with a ready VM can be mended from the sidebar', async ({ page, host, open }) => {
  host.bootStepMs = 10;
  await open();
  host.setState({ kind: 'ready', sinceMs: Date.now(), bootTookMs: 1 }, 'down');
  const status = page.getByRole('region', { name: 'Engine status' });
  await expect(status).toContainText('Link is down');
  await status.getByRole('button', { name: 'Mend' }).click();
  await expect(status).toContainText('Engine ready');
});

test('a wrong secret is refused with the way in, and not tried again', async ({ page, fake, open }) => {
  await page.goto(fake.url.replace(/#.*/, '#wrong'));
  await expect(page.getByRole('main').getByText('Open the whole address that Wherry printed')).toBeVisible();
  await open();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible();
});

test('the secret leaves the address and survives a reload, as does the place', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'Images' }).click();
  await expect(page.getByRole('heading', { name: 'Images' })).toBeVisible();
  expect(page.url()).not.toContain('fake-secret');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Images' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible();
});

test('an engine without containers offers the starter, which runs with its ports published', async ({
  page,
  host,
  open,
}) => {
  host.containers.set([]);
  await open();
  await page.getByRole('button', { name: /Run the starter container/ }).click();
  await expect(page.getByRole('tab', { name: 'Logs' })).toBeVisible();
  expect(inputsOf(host, 'containers.run')).toEqual([
    { image: 'wherry/starter:latest', ports: [{ containerPort: 80, protocol: 'tcp', hostPort: 0 }] },
  ]);
});
