import { EngineError } from '../../contract/errors.ts';
import type { NetworkMode } from './network.ts';

/** Name of the network that `default` means. */
export const defaultNetwork = 'bridge';

/** `HostConfig.NetworkMode` to what it means; an empty one is the default. Throws `invalid-parameter`. */
export function parseNetworkMode(mode: string): NetworkMode {
  if (mode === '' || mode === 'default') return { kind: 'network', name: defaultNetwork };
  if (mode === 'host' || mode === 'none') return { kind: mode };
  if (mode === 'container' || mode.startsWith('container:')) {
    const container = mode.slice('container:'.length);
    if (container === '') {
      throw new EngineError('invalid-parameter', 'invalid container format container:<name|id>');
    }
    return { kind: 'container', container };
  }
  return { kind: 'network', name: mode };
}
