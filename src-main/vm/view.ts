/** What windows see of the VM, put together from the state machine, the stages' progress, the link and the warnings. */
import { EventEmitter } from 'node:events';
import { vmStages, type VmStage, type VmStageProgress, type VmView } from '../contract/vm.ts';
import type { LinkState } from '../link/link.ts';
import type { Unsubscribe } from '../services.ts';
import type { Warning } from './backend.ts';
import { transition, type VmEvent } from './state.ts';

const labels: Readonly<Record<VmStage, string>> = {
  prepare: 'Preparing the system image and disks',
  process: 'Starting the VM',
  monitor: 'Asking the VM for its state',
  ssh: 'Waiting for the guest to start',
  agent: 'Waiting for the agent to answer',
  disk: 'Opening the data disk',
  network: 'Setting up the network',
  engine: 'Waiting for the engine to answer',
};

/** The present view, changed only through its methods; each change is told to the listeners. */
export class ViewModel {
  readonly #events = new EventEmitter<{ change: [VmView] }>();
  readonly #now: () => number;
  #view: VmView;
  #stageStartedAt = 0;

  constructor(dockerHost: string, now: () => number = Date.now) {
    this.#now = now;
    this.#events.setMaxListeners(0);
    this.#view = { state: { kind: 'absent' }, stages: freshStages(), link: 'none', dockerHost, warnings: [] };
  }

  get view(): VmView {
    return this.#view;
  }

  onChange(listener: (view: VmView) => void): Unsubscribe {
    this.#events.on('change', listener);
    return () => this.#events.off('change', listener);
  }

  apply(event: VmEvent): void {
    const state = transition(this.#view.state, event);
    const stages = this.#stagesAfter(event);
    this.#set({ ...this.#view, state, stages });
  }

  /** A stage begins, or the same stage has something new to say. */
  stage(stage: VmStage, label: string): void {
    const { state } = this.#view;
    if (state.kind !== 'booting') return;
    if (state.stage !== stage || this.#progress(stage)?.state === 'waiting') this.apply({ kind: 'stage', stage });
    this.#set({
      ...this.#view,
      stages: this.#view.stages.map((each) => (each.stage === stage ? { ...each, label } : each)),
    });
  }

  backend(backend: NonNullable<VmView['backend']>): void {
    this.#set({ ...this.#view, backend });
  }

  link(link: LinkState): void {
    if (link !== this.#view.link) this.#set({ ...this.#view, link });
  }

  warnings(warnings: readonly Warning[]): void {
    this.#set({ ...this.#view, warnings });
  }

  #stagesAfter(event: VmEvent): readonly VmStageProgress[] {
    switch (event.kind) {
      case 'start':
      case 'retry':
        this.#stageStartedAt = this.#now();
        return freshStages().map((each, index) => (index === 0 ? { ...each, state: 'running' } : each));
      case 'stage':
        return this.#enter(event.stage);
      case 'ready':
        return this.#view.stages.map((each) => (each.state === 'done' ? each : this.#done(each)));
      case 'fail':
        return this.#view.stages.map((each) => (each.stage === event.stage ? { ...each, state: 'failed' } : each));
      case 'stop':
      case 'sleep':
      case 'stay':
        return this.#view.stages;
      case 'asleep':
      case 'resume':
      case 'gone':
        return freshStages();
    }
  }

  #enter(stage: VmStage): readonly VmStageProgress[] {
    const index = vmStages.indexOf(stage);
    const stages = this.#view.stages.map((each, at) => {
      if (at < index) return each.state === 'done' ? each : this.#done(each);
      return at === index && each.state !== 'running' ? { ...each, state: 'running' as const } : each;
    });
    if (this.#progress(stage)?.state !== 'running') this.#stageStartedAt = this.#now();
    return stages;
  }

  #done(each: VmStageProgress): VmStageProgress {
    const tookMs = each.state === 'running' ? Math.max(0, this.#now() - this.#stageStartedAt) : 0;
    return { stage: each.stage, label: each.label, state: 'done', tookMs };
  }

  #progress(stage: VmStage): VmStageProgress | undefined {
    return this.#view.stages.find((each) => each.stage === stage);
  }

  #set(view: VmView): void {
    this.#view = view;
    this.#events.emit('change', view);
  }
}

function freshStages(): VmStageProgress[] {
  return vmStages.map((stage) => ({ stage, state: 'waiting', label: labels[stage] }));
}
