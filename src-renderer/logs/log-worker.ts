/** Keeps a log's lines beside the page: what is long here, reading, filtering, searching, holds up no frame. */
import type { LogAnswer, LogRequest } from './log-protocol.ts';
import { LogStore } from './log-store.ts';

/** How often the page is told of what came; of what it asked for it is told at once. */
const tellMs = 80;
/** Questions are heard between two slices of work. */
const sliceMs = 20;

/** The worker's own scope, which the page's types do not have. */
interface Scope {
  onmessage: ((event: { readonly data: LogRequest }) => void) | null;
  postMessage(answer: LogAnswer): void;
}

const scope = globalThis as unknown as Scope;
const store = new LogStore();
let telling: ReturnType<typeof setTimeout> | undefined;
let working: ReturnType<typeof setTimeout> | undefined;
/** The page waits for what the work under way finds. */
let awaited = false;

scope.onmessage = ({ data }) => {
  const answer = store.receive(data);
  if (answer) scope.postMessage(answer);
  if (data.kind === 'ping' || data.kind === 'text' || data.kind === 'whole') return;
  working ??= setTimeout(work, 0);
  if (data.kind === 'search' || data.kind === 'filter') awaited = true;
  if (data.kind === 'append') tellSoon();
  else if (!awaited) tell();
};

function work(): void {
  const more = store.work(sliceMs);
  working = more ? setTimeout(work, 0) : undefined;
  if (more) tellSoon();
  else if (awaited) tell();
  awaited &&= more;
}

function tellSoon(): void {
  telling ??= setTimeout(tell, tellMs);
}

function tell(): void {
  clearTimeout(telling);
  telling = undefined;
  scope.postMessage({ kind: 'view', view: store.view() });
}
