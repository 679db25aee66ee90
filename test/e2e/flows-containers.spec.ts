/**
 * Looking into containers that run in the real VM: logs, stats, processes, files, history, shells; and acting on several. Each step
 * is checked with the docker command.
 */
import type { Page } from '@playwright/test';
import {
  docker as dockerOf,
  expect,
  openReadyPage,
  removeContainers,
  rowWith,
  starterImage as image,
  test,
} from '../helpers/real-window.ts';
import { runProgram, type WherryHome } from '../helpers/wherry-cli.ts';
import { goTo, openContainer, rowOf } from '../helpers/window-test.ts';

test.describe.configure({ mode: 'serial' });

let home: WherryHome;
let page: Page;
const docker = (...args: string[]): Promise<string> => dockerOf({ home }, ...args);
const run = (name: string, script: string, ...flags: string[]): Promise<string> =>
  docker('run', '-d', '--stop-signal', 'KILL', '--name', name, ...flags, image, 'sh', '-c', script);

test.beforeAll(async ({ real }) => {
  ({ home } = real);
  page = await openReadyPage(real);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const count = 'i=0; while [ $i -lt 200 ]; do echo "INFO pilot $i"; i=$((i+1)); done; echo "ERROR aground" >&2';
  await run('pilot', `${count}; exec sleep 9999`, '--env', "CARGO=tea & 'timber'", '--label', 'deck=lower');
  await run('stoker', 'echo "INFO steam up"; exec sleep 9999');
});

test.afterAll(async ({ real }) => {
  await page.close();
  await removeContainers(real);
});

const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

test('a log is searched by regular expression, and filtered by level and stream', async () => {
  await goTo(page, 'Containers');
  await openContainer(page, 'pilot', 'Logs');
  const log = page.getByRole('log');
  await expect(log).toContainText('ERROR aground');
  await page.getByLabel('Level').selectOption('error');
  await expect(log).not.toContainText('INFO');
  await page.getByLabel('Level').selectOption('all');
  await page.getByLabel('Stream').selectOption('stdout');
  await expect(log).not.toContainText('aground');
  await page.getByLabel('Stream').selectOption('all');
  await page.getByRole('button', { name: 'Regular expression' }).click();
  await page.getByLabel('Search the log').fill('pilot 1\\d\\d$');
  await expect(page.getByText('100 lines', { exact: true })).toBeVisible();
  await page.getByLabel('Search the log').fill('');
  await docker('exec', 'pilot', 'sh', '-c', 'echo \'{"level":"warn","depth":[1,2]}\' > /proc/1/fd/1');
  await expect(log).toContainText('"depth":[1,2]');
  await page.getByRole('button', { name: 'Spread JSON over lines' }).click();
  await expect(log.locator('.json').last()).toContainText('"level": "warn",\n');
});

test('a log longer than what is opened at first is read back to its first line, and searched', async () => {
  await run('scribe', 'seq 60000 | sed "s/.*/entry &;/"; exec sleep 9999');
  await expect.poll(() => docker('logs', '--tail', '1', 'scribe')).toBe('entry 60000;');
  await goTo(page, 'Containers');
  await openContainer(page, 'scribe', 'Logs');
  const log = page.getByRole('log');
  await expect(page.getByText('Showing the last 50,000 lines.')).toBeVisible();
  await page.getByRole('button', { name: 'Load older ones' }).click();
  await expect(page.getByText('Showing the last')).toBeHidden();
  await page.getByLabel('Search the log').fill('entry 1;');
  await page.keyboard.press('Enter');
  await expect(page.getByText('1 of 1')).toBeVisible();
  await expect(log.locator('.log-row.current')).toHaveText('entry 1;');
  await page.getByLabel('Search the log').fill('entry');
  await expect(page.getByText('60,000 lines', { exact: true })).toBeVisible();
  await docker('rm', '-f', 'scribe');
});

test('the logs of two containers are one, in the order of their times', async () => {
  await goTo(page, 'Containers');
  await page.getByLabel('Select pilot').check();
  await page.getByLabel('Select stoker').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Logs' }).click();
  const log = page.getByRole('log');
  for (const [name, words] of [
    ['stoker', 'more coal'],
    ['pilot', 'more sea'],
    ['stoker', 'no coal'],
  ] as const) {
    await docker('exec', name, 'sh', '-c', `echo "${words}" > /proc/1/fd/1`);
    await expect(log).toContainText(words);
  }
  await page.getByRole('button', { name: 'Copy the lines kept here' }).click();
  await expect(page.getByText(/Copied [\d,]+ lines/)).toBeVisible();
  expect((await copied()).trim().split('\n').slice(-3)).toEqual([
    'stoker | more coal',
    'pilot | more sea',
    'stoker | no coal',
  ]);
});

test('stats are drawn, processes listed, and what happens is told', async () => {
  await docker('exec', '-d', 'pilot', 'sh', '-c', 'while true; do :; done');
  await goTo(page, 'Containers');
  await openContainer(page, 'pilot', 'Stats');
  const cpu = page.getByRole('region', { name: 'CPU' });
  await expect(cpu.locator('path')).toHaveAttribute('d', /L/);
  await expect(cpu).toContainText(/[1-9][\d.]*\s*%/);
  await expect(page.getByRole('region', { name: 'Processes' })).toContainText(/[2-9] with threads/);
  await page.getByRole('tab', { name: 'Processes' }).click();
  await expect(page.getByRole('table', { name: 'Processes' })).toContainText('while true');
  await page.getByRole('tab', { name: 'History' }).click();
  const history = page.getByRole('list', { name: 'History' }).getByRole('listitem');
  await docker('pause', 'pilot');
  await expect(history.first()).toContainText(/paused/i);
  await docker('unpause', 'pilot');
  await expect(history.first()).toContainText(/resumed/i);
  await docker('update', '--memory', '64m', '--memory-swap', '64m', 'pilot');
  await page.getByRole('tab', { name: 'Stats' }).click();
  await expect(page.getByRole('region', { name: 'Memory' })).toContainText('of 67.1 MB');
});

test('a text in a container is edited, and listed as changed since the image', async () => {
  await docker('exec', 'pilot', 'sh', '-c', 'echo one > /notes.txt; rm /etc/group');
  await goTo(page, 'Containers');
  await openContainer(page, 'pilot', 'Files');
  await rowOf(page, 'notes.txt').getByText('notes.txt').click();
  const dialog = page.getByRole('dialog', { name: 'notes.txt' });
  await dialog.getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Text of the file').fill('two\nthree\n');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved notes.txt')).toBeVisible();
  expect(await docker('exec', 'pilot', 'cat', '/notes.txt')).toBe('two\nthree');
  await page.getByRole('radio', { name: /^Changed/ }).click();
  const changes = page.getByRole('list', { name: 'Changes' }).getByRole('listitem');
  await expect(changes.filter({ hasText: '/notes.txt' })).toContainText('Added');
  await expect(changes.filter({ hasText: '/etc/group' })).toContainText('Deleted');
  const shown = await changes.count();
  expect((await docker('diff', 'pilot')).split('\n')).toHaveLength(shown);
});

test('the copied docker run command makes the same container again', async () => {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Copy docker run command' }).click();
  await expect(page.getByText('Copied the docker run command of pilot')).toBeVisible();
  const command = (await copied()).replace('--name pilot', '--name pilot-2');
  const ended = await runProgram('sh', ['-c', command], { env: { DOCKER_HOST: home.dockerHost } });
  expect(ended.stderr).toBe('');
  const settings = ['inspect', '--format', '{{json .Config.Env}} {{.Config.Labels.deck}} {{json .Config.Cmd}}'];
  expect(await docker(...settings, 'pilot-2')).toBe(await docker(...settings, 'pilot'));
});

test('several are stopped and removed at once', async () => {
  await goTo(page, 'Containers');
  await page.getByLabel('Select pilot-2').check();
  await page.getByLabel('Select stoker').check();
  const toolbar = page.getByRole('toolbar');
  await toolbar.getByRole('button', { name: 'Stop' }).click();
  await expect(rowWith(page, 'stoker')).toContainText('Exit 137');
  await expect.poll(() => docker('ps', '--format', '{{.Names}}')).toBe('pilot');
  await toolbar.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Removed 2 containers')).toBeVisible();
  expect(await docker('ps', '-a', '--format', '{{.Names}}')).toBe('pilot');
});

test('an image without a shell is looked into with the toolbox', async () => {
  const folder = ['FROM wherry/starter AS tools', 'FROM scratch', 'COPY --from=tools /bin/busybox /sleep'];
  const built = await home.docker(['build', '-q', '-t', 'bare', '-'], {
    input: `${folder.join('\n')}\n`,
    env: { DOCKER_BUILDKIT: '0' },
  });
  expect(built.code, built.stderr).toBe(0);
  await docker('run', '-d', '--name', 'hermit', '--stop-signal', 'KILL', 'bare', '/sleep', '9999');
  await goTo(page, 'Containers');
  await openContainer(page, 'hermit', 'Terminal');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText('#');
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('ls / && echo $((6 * 7)) fathoms\n');
  await expect(screen).toContainText('sleep');
  await expect(screen).toContainText('42 fathoms');
});

test('a container is reached by its link and by the palette', async () => {
  await page.evaluate(() => (location.hash = '/containers/hermit/inspect'));
  await expect(page.getByRole('heading', { name: 'hermit', level: 1 })).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('stop pilot');
  await page.keyboard.press('Enter');
  await expect.poll(() => docker('inspect', '--format', '{{.State.Status}}', 'pilot')).toBe('exited');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Containers', level: 1 })).toBeVisible();
});
