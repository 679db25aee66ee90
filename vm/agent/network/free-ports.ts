/** Which ports to try. */
import { EngineError } from '../../contract/errors.ts';
import type { PortProtocol, PublishSpec } from './network.ts';

const guestFirst = 49152;
const lastPort = 65535;
const hostFirst = 32768;
const hostLast = 60999;
/** A host that refuses this many has a problem that more questions do not solve. */
const maxHostCandidates = 128;

export interface GuestPorts {
  take(protocol: PortProtocol): number;
  adopt(protocol: PortProtocol, port: number): void;
  release(protocol: PortProtocol, port: number): void;
}

/** Ports of the guest's own addresses by which the host's forwards come in. */
export function createGuestPorts(): GuestPorts {
  const taken: Readonly<Record<PortProtocol, Set<number>>> = { tcp: new Set(), udp: new Set() };
  return {
    take(protocol) {
      for (let port = guestFirst; port <= lastPort; port++) {
        if (taken[protocol].has(port)) continue;
        taken[protocol].add(port);
        return port;
      }
      throw new EngineError('system', `all ${lastPort - guestFirst + 1} ${protocol} ports for publishing are in use`);
    },
    adopt: (protocol, port) => void taken[protocol].add(port),
    release: (protocol, port) => void taken[protocol].delete(port),
  };
}

/** Yields what to try on the host, in order. */
export type HostPorts = (protocol: PortProtocol, choice: PublishSpec['hostPorts']) => Iterable<number>;

/** A given range in its order; else free choice, going on where it last stopped, so that a port just let go is not soon met again. */
export function createHostPorts(): HostPorts {
  const next: Record<PortProtocol, number> = { tcp: hostFirst, udp: hostFirst };
  return function* candidates(protocol, choice) {
    if (choice !== undefined) {
      for (let port = choice.first; port <= choice.last; port++) yield port;
      return;
    }
    for (let tried = 0; tried < maxHostCandidates; tried++) {
      const port = next[protocol];
      next[protocol] = port === hostLast ? hostFirst : port + 1;
      yield port;
    }
  };
}
