/** The VM, its settings, and the connection to the host: what decides whether anything else can be trusted. */
import { useMemo } from 'react';
import { create } from 'zustand';
import type { ConnectionState } from '../../src-main/contract/reconnecting-client.ts';
import { host } from '../bridge.ts';
import { createTopicStore } from './topic-store.ts';
import { summarizeHealth, type Health } from './health.ts';

export const useVm = createTopicStore('vm');
export const useSettings = createTopicStore('settings');

const useConnection = create<{ readonly state: ConnectionState }>(() => ({ state: host.connection }));

host.onConnection((state) => useConnection.setState({ state }));

/** What is true of the whole path from this window to the engine, in one value. */
export function useHealth(): Health {
  const view = useVm((state) => state.value);
  const connection = useConnection((state) => state.state);
  return useMemo(() => summarizeHealth(connection, view), [connection, view]);
}

/** Whether the engine answered at any time in this window's life: from then on the last known data is shown. */
const useEverReady = create<{ readonly ever: boolean }>(() => ({ ever: false }));

function noteReady(): void {
  const health = summarizeHealth(useConnection.getState().state, useVm.getState().value);
  if (health.usable) useEverReady.setState({ ever: true });
}

useVm.subscribe(noteReady);
useConnection.subscribe(noteReady);

/** Whether the boot is shown in place of a noun's screen: nothing is known yet, or the host lets nobody in. */
export function useBootShown(): boolean {
  const health = useHealth();
  const ever = useEverReady((state) => state.ever);
  const refused = useConnection((state) => state.state.kind === 'refused');
  return refused || (!health.usable && !ever);
}

/** Whether actions on containers and images can work now. */
export function useEngineReady(): boolean {
  return useHealth().usable;
}
