/**
 * The window's main thread while it is busy: the built renderer in Chromium before a scripted host (`test/helpers`), each flow
 * watched for the tasks that block for over 50 ms (Long Tasks, W3C), whoever causes them. Also its first paint and its size.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { chromium, type Browser, type Page } from 'playwright';
import type { ContainerView } from '../../src-main/contract/engine.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { serveFakeWindow } from '../helpers/fake-window.ts';
import { usualContainers } from '../helpers/window-fixtures.ts';

export interface FlowTrace {
  readonly flow: string;
  readonly watchedMs: number;
  /** How long each of the tasks over 50 ms took. */
  readonly longTasksMs: readonly number[];
}

export interface WindowBench {
  readonly traces: readonly FlowTrace[];
  /** The window drawn, while the engine is not there yet. */
  readonly firstPaintMs: number;
  /** Compressed, of what is loaded before the first paint, and of all. */
  readonly sizes: { readonly firstBytes: number; readonly allBytes: number };
}

interface Flow {
  readonly flow: string;
  readonly prepare?: (host: FakeHost) => void;
  /** Until what is measured begins. */
  readonly open?: (page: Page, host: FakeHost) => Promise<void>;
  readonly run: (page: Page, host: FakeHost) => Promise<void>;
}

const rendererFolder = path.join(import.meta.dirname, '../../dist/renderer');
const watchMs = 10_000;

const flows: readonly Flow[] = [
  { flow: 'the window at rest', run: () => sleep(watchMs) },
  {
    flow: '500 containers, stats each second, scrolled',
    prepare: (host) => host.containers.set(manyContainers(500)),
    open: (page) => page.getByRole('row').nth(20).waitFor(),
    run: (page) => scrollFor(page, watchMs),
  },
  {
    flow: '50,000 lines a second, followed',
    prepare: (host) => (host.logStyle = 'flood'),
    open: (page) => openTab(page, 'Logs'),
    run: () => sleep(watchMs),
  },
  {
    flow: 'ten terminals, all printing',
    open: async (page) => {
      await openTab(page, 'Terminal');
      for (let more = 1; more < 10; more += 1) {
        await page.getByRole('button', { name: 'Open another terminal' }).click();
      }
    },
    run: async (_page, host) => {
      const end = Date.now() + watchMs;
      while (Date.now() < end) {
        for (const { id } of host.terminalViews.current) host.terminals.type(id, 'many\r');
        await sleep(100);
      }
    },
  },
  {
    flow: 'a log of 1,000,000 lines: read whole, searched, scrolled',
    prepare: (host) => (host.logStyle = 'million'),
    run: async (page) => {
      await openTab(page, 'Logs');
      for (const count of ['100,000', '200,000', '400,000', '800,000']) {
        await page.getByRole('button', { name: 'Load older ones' }).click();
        await page.getByText(`Showing the last ${count} lines.`).waitFor();
      }
      await page.getByRole('button', { name: 'Load older ones' }).click();
      await page.getByText(/Showing the last/).waitFor({ state: 'hidden' });
      await page.getByLabel('Search the log').fill('ERROR failed');
      await page.getByText(/^[\d,]+ lines$/).waitFor();
      await page.keyboard.press('Enter');
      await scrollFor(page, 5000);
    },
  },
];

/** Needs the built renderer. */
export async function benchWindow(): Promise<WindowBench> {
  const browser = await chromium.launch({
    executablePath: process.env['WHERRY_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const traces: FlowTrace[] = [];
    for (const flow of flows) traces.push(await trace(browser, flow));
    return { traces, firstPaintMs: await firstPaint(browser), sizes: sizes() };
  } finally {
    await browser.close();
  }
}

export function formatWindow({ traces, firstPaintMs, sizes: { firstBytes, allBytes } }: WindowBench): string {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  return [
    `${'window, main thread'.padEnd(54)} ${'over 50 ms'.padStart(10)} ${'longest'.padStart(9)} ${'blocked'.padStart(9)}`,
    ...traces.map(({ flow, watchedMs, longTasksMs }) => {
      const blocked = longTasksMs.reduce((sum, ms) => sum + ms - 50, 0);
      const columns = [
        String(longTasksMs.length).padStart(10),
        `${Math.max(0, ...longTasksMs).toFixed(0)} ms`.padStart(9),
        `${((100 * blocked) / watchedMs).toFixed(1)} %`.padStart(9),
      ];
      return `${flow.padEnd(54)} ${columns.join(' ')}`;
    }),
    `window, first paint without an engine: ${firstPaintMs.toFixed(0)} ms`,
    `window, compressed: ${kib(firstBytes)} before the first paint, ${kib(allBytes)} in all`,
  ].join('\n');
}

async function trace(browser: Browser, { flow, prepare, open, run }: Flow): Promise<FlowTrace> {
  const host = new FakeHost();
  prepare?.(host);
  const fake = await serveFakeWindow(host);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  try {
    await page.addInitScript(() => {
      const longTasks: number[] = [];
      Object.assign(globalThis, { longTasks });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longTasks.push(duration);
      }).observe({ type: 'longtask' });
    });
    await page.goto(fake.url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await open?.(page, host);
    await sleep(1000);
    await page.evaluate(takeLongTasks);
    const startedMs = performance.now();
    await run(page, host);
    const watchedMs = performance.now() - startedMs;
    return { flow, watchedMs, longTasksMs: await page.evaluate(takeLongTasks) };
  } finally {
    await page.close();
    await fake.close();
  }
}

/** In the page: those since it was last asked. */
const takeLongTasks = (): number[] => (globalThis as unknown as { longTasks: number[] }).longTasks.splice(0);

async function firstPaint(browser: Browser): Promise<number> {
  const host = new FakeHost();
  host.setState({ kind: 'absent' });
  const fake = await serveFakeWindow(host);
  const page = await browser.newPage();
  try {
    await page.goto(fake.url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    );
  } finally {
    await page.close();
    await fake.close();
  }
}

function sizes(): WindowBench['sizes'] {
  const names = readdirSync(rendererFolder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|css|html|svg)$/.test(name),
  );
  const bytesOf = (name: string): number => gzipSync(readFileSync(path.join(rendererFolder, name))).length;
  const sum = (chosen: readonly string[]): number => chosen.reduce((bytes, name) => bytes + bytesOf(name), 0);
  return {
    firstBytes: sum(names.filter((name) => /^(index\.html|main\.(js|css)|icon\.svg)$/.test(name))),
    allBytes: sum(names),
  };
}

function manyContainers(count: number): ContainerView[] {
  const [like] = usualContainers();
  if (like === undefined) throw new Error('no container to make others like');
  return Array.from({ length: count }, (_, index) => ({
    ...like,
    id: index.toString(16).padStart(64, '0'),
    name: `container-${index}`,
    labels: {},
  }));
}

async function openTab(page: Page, tab: string): Promise<void> {
  await page.getByRole('row').filter({ hasText: 'web' }).getByText('web', { exact: true }).click();
  await page.getByRole('tab', { name: tab }).click();
}

/** By the wheel, down and up again. */
async function scrollFor(page: Page, ms: number): Promise<void> {
  await page.mouse.move(640, 500);
  const end = Date.now() + ms;
  for (let turn = 0; Date.now() < end; turn += 1) {
    await page.mouse.wheel(0, turn % 40 < 20 ? 400 : -400);
    await sleep(50);
  }
}
