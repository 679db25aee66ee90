/** Shows the VM's stages as they pass: a line for each that is done, the present one live on a terminal. */
import type { VmView } from '../contract/vm.ts';

export interface ProgressOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

export class StageProgress {
  readonly #output: ProgressOutput;
  #shown = '';
  #live = false;

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  update(view: VmView): void {
    const lines = describe(view);
    for (const line of lines.done) {
      if (!this.#shown.includes(`\n${line}\n`)) this.#line(line);
    }
    if (lines.present === undefined) this.#clear();
    else if (this.#output.isTerminal) this.#present(lines.present);
    else if (!this.#shown.includes(`\n${lines.present}\n`)) this.#line(lines.present);
  }

  /** Takes the live line away. */
  end(): void {
    this.#clear();
  }

  #line(text: string): void {
    this.#clear();
    this.#shown += `\n${text}\n`;
    this.#output.write(`${text}\n`);
  }

  #present(text: string): void {
    this.#clear();
    this.#output.write(text);
    this.#live = true;
  }

  #clear(): void {
    if (this.#live) this.#output.write('\r\u001B[K');
    this.#live = false;
  }
}

interface ViewLines {
  readonly done: readonly string[];
  readonly present: string | undefined;
}

/** Stages of one attempt have their attempt in front from the second on, so that their lines differ. */
function describe(view: VmView): ViewLines {
  const { state } = view;
  switch (state.kind) {
    case 'booting': {
      const attempt = state.attempt > 1 ? `attempt ${state.attempt}: ` : '';
      const done = view.stages
        .filter((stage) => stage.state === 'done')
        .map((stage) => `✓ ${attempt}${stage.label} (${seconds(stage.tookMs ?? 0)})`);
      const current = view.stages.find((stage) => stage.stage === state.stage);
      return { done, present: `… ${attempt}${current?.label ?? state.stage}` };
    }
    case 'ready': {
      const done = view.stages.map((stage) => `✓ ${stage.label} (${seconds(stage.tookMs ?? 0)})`);
      return { done: view.stages.every((stage) => stage.state === 'done') ? done.slice(-1) : [], present: undefined };
    }
    case 'stopping':
      return { done: [], present: `… ${stoppingWords[state.step]}` };
    case 'sleeping':
      return { done: [], present: state.step === 'saving' ? '… Saving the state of the VM' : undefined };
    case 'resuming':
      return { done: [], present: '… Waking the VM' };
    default:
      return { done: [], present: undefined };
  }
}

export const stoppingWords = {
  guest: 'Asking the guest to stop its containers and power off',
  'power-button': 'Pressing the power button',
  kill: 'Ending the VM by force',
} as const;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Standard error as a progress output. */
export function stderrProgress(): ProgressOutput {
  return { isTerminal: process.stderr.isTTY, write: (text) => void process.stderr.write(text) };
}
