/** Terminals of the fake host: a shell of sorts that echoes, knows a few words, and ends on `exit`. */
import type { Streams } from '../../src-main/contract/channels.ts';
import type { TerminalView } from '../../src-main/contract/engine.ts';
import { AppError } from '../../src-main/contract/errors.ts';

type Item = Streams['terminals.attach']['item'];

const prompt = '\u001b[1;36mroot@fake\u001b[0m:\u001b[34m/\u001b[0m# ';

class FakeTerminal {
  view: TerminalView;
  scrollback = prompt;
  size = { columns: 80, rows: 24 };
  readonly listeners = new Set<(item: Item) => void>();
  #line = '';
  readonly #changed: () => void;

  constructor(view: TerminalView, changed: () => void) {
    this.view = view;
    this.#changed = changed;
  }

  write(data: string): void {
    this.scrollback += data;
    for (const listener of this.listeners) listener({ data });
  }

  type(data: string): void {
    for (const character of data) {
      if (character === '\r') this.#enter();
      else if (character === '\u007f') this.#erase();
      else {
        this.#line += character;
        this.write(character);
      }
    }
  }

  end(exitCode: number): void {
    this.view = { ...this.view, state: 'ended', exitCode };
    for (const listener of this.listeners) listener({ ended: true, exitCode });
    this.#changed();
  }

  #erase(): void {
    if (this.#line === '') return;
    this.#line = this.#line.slice(0, -1);
    this.write('\b \b');
  }

  #enter(): void {
    const line = this.#line;
    this.#line = '';
    this.write('\r\n');
    if (line.startsWith('exit')) this.end(Number(line.slice(5)) || 0);
    else this.write(`${this.#answer(line)}${prompt}`);
  }

  #answer(line: string): string {
    if (line === '') return '';
    if (line === 'size') return `${this.size.columns}x${this.size.rows}\r\n`;
    if (line === 'unicode') return '🚣‍♀️ 日本語 한국어 ─│┌┐ àéîõü \u001b[38;5;208m208\u001b[0m\r\n';
    if (line === 'link') return 'see http://localhost:8080/docs for more\r\n';
    if (line === 'many') return Array.from({ length: 300 }, (_, index) => `line ${index}\r\n`).join('');
    return `sh: ${line.split(' ')[0] ?? ''}: not found\r\n`;
  }
}

export class FakeTerminals {
  readonly #terminals = new Map<string, FakeTerminal>();
  readonly #changed: (views: readonly TerminalView[]) => void;
  #last = 0;

  constructor(changed: (views: readonly TerminalView[]) => void) {
    this.#changed = changed;
  }

  open(containerId: string, containerName: string, command: readonly string[]): { id: string } {
    if (command[0] === 'missing') throw new AppError('engine', 'open a terminal: missing: not found', { status: 400 });
    const id = `t${++this.#last}`;
    const text = command.length === 0 ? 'sh' : command.join(' ');
    const view: TerminalView = { id, containerId, containerName, command: text, title: text, state: 'open' };
    this.#terminals.set(id, new FakeTerminal(view, () => this.#tell()));
    this.#tell();
    return { id };
  }

  /** As if the person typed it. */
  type(id: string, data: string): void {
    this.#terminals.get(id)?.type(data);
  }

  close(id: string): void {
    this.#terminals.get(id)?.end(129);
    this.#terminals.delete(id);
    this.#tell();
  }

  async *attach(
    id: string,
    context: {
      signal: AbortSignal;
      onMessage(listener: (message: Streams['terminals.attach']['message']) => void): void;
    },
  ): AsyncGenerator<Item> {
    const terminal = this.#terminals.get(id);
    if (!terminal) throw new AppError('not-found', `attach terminal ${id}: no such terminal`);
    const queue: Item[] = [{ data: terminal.scrollback }];
    if (terminal.view.state === 'ended') queue.push({ ended: true, exitCode: terminal.view.exitCode ?? 0 });
    let wake: (() => void) | undefined;
    const listener = (item: Item) => {
      queue.push(item);
      wake?.();
    };
    terminal.listeners.add(listener);
    context.signal.addEventListener('abort', () => wake?.(), { once: true });
    context.onMessage((message) => {
      if ('data' in message) terminal.type(message.data);
      else terminal.size = message;
    });
    try {
      while (!context.signal.aborted) {
        const item = queue.shift();
        if (item) {
          yield item;
          if ('ended' in item) return;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      terminal.listeners.delete(listener);
    }
  }

  #tell(): void {
    this.#changed([...this.#terminals.values()].map(({ view }) => view));
  }
}
