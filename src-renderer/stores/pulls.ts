/** Pulls under way and just finished. They live here, not in a dialog, so that leaving the dialog stops nothing. */
import { create } from 'zustand';
import { toErrorView, type ErrorView } from '../../src-main/contract/errors.ts';
import type { PullProgress } from '../../src-main/contract/engine.ts';
import type { HostStream } from '../../src-main/contract/channels.ts';
import { host } from '../bridge.ts';
import { emptyTotals, foldPull, type PullTotals } from './pull-progress.ts';
import { showToast } from './toasts.ts';
import { useDialog } from './dialogs.ts';

export interface Pull {
  readonly id: number;
  readonly reference: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly totals: PullTotals;
  readonly error?: ErrorView;
}

/** How often the progress is shown; the objects themselves come much faster. */
const flushMs = 90;
const keptPulls = 12;

export const usePulls = create<{ readonly pulls: readonly Pull[] }>(() => ({ pulls: [] }));

const streams = new Map<number, HostStream<'images.pull'>>();
let lastId = 0;

/** Starts a pull, or joins the one already running for the same reference. Returns its id. */
export function startPull(reference: string): number {
  const running = usePulls.getState().pulls.find((pull) => pull.reference === reference && pull.state === 'running');
  if (running) return running.id;
  lastId += 1;
  const pull: Pull = { id: lastId, reference, state: 'running', startedAtMs: Date.now(), totals: emptyTotals };
  usePulls.setState(({ pulls }) => ({ pulls: [pull, ...pulls].slice(0, keptPulls) }));
  void follow(pull.id, reference);
  return pull.id;
}

export function cancelPull(id: number): void {
  change(id, { state: 'cancelled', endedAtMs: Date.now() });
  streams.get(id)?.close();
}

export function forgetPull(id: number): void {
  usePulls.setState(({ pulls }) => ({ pulls: pulls.filter((pull) => pull.id !== id || pull.state === 'running') }));
}

async function follow(id: number, reference: string): Promise<void> {
  const stream = host.open('images.pull', { reference });
  streams.set(id, stream);
  let waiting: PullProgress[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const items = waiting;
    waiting = [];
    const now = Date.now();
    usePulls.setState(({ pulls }) => ({
      pulls: pulls.map((pull) => (pull.id === id ? { ...pull, totals: foldPull(pull.totals, items, now) } : pull)),
    }));
  };
  try {
    for await (const item of stream) {
      waiting.push(item);
      timer ??= setTimeout(flush, flushMs);
    }
    flush();
    finish(id, reference);
  } catch (error) {
    flush();
    fail(id, reference, toErrorView(error));
  } finally {
    clearTimeout(timer);
    streams.delete(id);
  }
}

function finish(id: number, reference: string): void {
  if (find(id)?.state !== 'running') return;
  change(id, { state: 'done', endedAtMs: Date.now() });
  if (!isOpen(id)) showToast({ tone: 'good', title: `Pulled ${reference}` });
}

function fail(id: number, reference: string, error: ErrorView): void {
  if (find(id)?.state !== 'running') return;
  change(id, { state: 'failed', endedAtMs: Date.now(), error });
  if (!isOpen(id)) showToast({ tone: 'bad', title: `Could not pull ${reference}`, detail: error.message });
}

/** Whether the user is looking at this pull, and needs no toast. */
function isOpen(id: number): boolean {
  const { dialog } = useDialog.getState();
  return dialog?.kind === 'pull' && dialog.pullId === id;
}

function find(id: number): Pull | undefined {
  return usePulls.getState().pulls.find((pull) => pull.id === id);
}

function change(id: number, values: Partial<Pull>): void {
  usePulls.setState(({ pulls }) => ({
    pulls: pulls.map((pull) => (pull.id === id && pull.state === 'running' ? { ...pull, ...values } : pull)),
  }));
}
