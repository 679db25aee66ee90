/** What the buttons and keys of registries do. */
import { create } from 'zustand';
import { parseServer, registryName } from '../../src-main/contract/registries.ts';
import { host } from '../bridge.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { errorText } from '../stores/follow-stream.ts';
import { showError } from '../stores/toasts.ts';

/** What came of the last test of a login in this window. */
export type LoginTest =
  { readonly state: 'running' } | { readonly state: 'good' } | { readonly state: 'bad'; readonly reason: string };

/** By server. */
export const useLoginTests = create<{ readonly tests: Readonly<Record<string, LoginTest>> }>(() => ({ tests: {} }));

/** What is wrong with what was typed as a registry, or undefined. */
export function serverProblem(text: string): string | undefined {
  return parseServer(text) === undefined ? 'A name like registry.example or localhost:5000.' : undefined;
}

export async function testLogin(server: string): Promise<void> {
  if (useLoginTests.getState().tests[server]?.state === 'running') return;
  noteTest(server, { state: 'running' });
  try {
    await host.call('registries.test', { server });
    noteTest(server, { state: 'good' });
  } catch (error) {
    noteTest(server, { state: 'bad', reason: errorText(error) });
  }
}

export function noteTest(server: string, test: LoginTest): void {
  useLoginTests.setState(({ tests }) => ({ tests: { ...tests, [server]: test } }));
}

export async function removeLogin(server: string): Promise<void> {
  try {
    await host.call('registries.logout', { server });
    useLoginTests.setState(({ tests }) => ({
      tests: Object.fromEntries(Object.entries(tests).filter(([other]) => other !== server)),
    }));
  } catch (error) {
    showError(`Could not remove the login to ${visibleText(registryName(server), 80)}`, error);
  }
}
