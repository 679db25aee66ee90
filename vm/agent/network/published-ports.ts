/** Published ports: chooses host and guest ports, has firewall and host forward them, remembers how they are. */
import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '../../contract/errors.ts';
import type { FailedPort, WantedPort } from '../../contract/wherry-api.ts';
import type { PortRecord } from './endpoint-store.ts';
import type { Firewall, Forward } from './firewall.ts';
import { createGuestPorts, createHostPorts } from './free-ports.ts';
import type { PortProtocol, PublishedPort, PublishSpec } from './network.ts';
import type { AddOutcome, PortLink } from './port-link.ts';

const defaultHostIp = '127.0.0.1';

/** Whose ports they are. */
export interface PortOwner {
  readonly containerId: string;
  readonly containerName: string;
  readonly endpointId: string;
  /** The container's. */
  readonly address: string;
}

export interface PublishedPorts {
  /** All or none. Rejects worded as Docker does. */
  publish(owner: PortOwner, specs: readonly PublishSpec[]): Promise<void>;
  /** Succeeds when there are none. */
  withdraw(containerId: string): Promise<void>;
  /** Takes over ports of before the agent's restart, still forwarded. Before any host is attached. */
  adopt(owner: PortOwner, records: readonly PortRecord[]): void;
  of(containerId: string): readonly PublishedPort[];
  recordsOf(containerId: string): readonly PortRecord[];
  forwards(): readonly Forward[];
  /** To be told by the link, of what the host said outside of `publish`. */
  settled(port: WantedPort, failed: FailedPort | undefined): void;
}

interface Entry {
  readonly owner: PortOwner;
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  readonly hostIp: string;
  readonly choice: PublishSpec['hostPorts'];
  readonly guestPort: number;
  hostPort: number;
  /** The link keeps it wanted; only then it may be taken back: the same host port may meanwhile be another's. */
  held: boolean;
  state: PublishedPort['state'];
  detail: string;
}

export interface PublishedPortsOptions {
  readonly firewall: Firewall;
  readonly link: () => PortLink;
  readonly onChange: (containerId: string) => void;
}

export function createPublishedPorts({ firewall, link, onChange }: PublishedPortsOptions): PublishedPorts {
  const entries = new Set<Entry>();
  const guestPorts = createGuestPorts();
  const hostPortsToTry = createHostPorts();
  const entriesOf = (containerId: string): Entry[] =>
    [...entries].filter(({ owner }) => owner.containerId === containerId);

  /** Binds one on the host, trying others where the choice is ours. */
  const bind = async (entry: Entry): Promise<AddOutcome> => {
    let outcome: AddOutcome = taken('all ports are allocated');
    for (const candidate of hostPortsToTry(entry.protocol, entry.choice)) {
      const holder = findHolder(entries, entry, candidate);
      if (holder !== undefined) {
        outcome = taken(`by container ${holder.owner.containerName}`);
        entry.hostPort = candidate;
        continue;
      }
      entry.hostPort = candidate;
      outcome = await link().add(wantedOf(entry));
      entry.held = outcome.kind !== 'failed';
      if (outcome.kind !== 'failed') return outcome;
      // Its container ended meanwhile.
      if (!entries.has(entry)) return outcome;
      if (outcome.reason !== 'taken') break;
    }
    return outcome;
  };

  const letGo = async (entry: Entry): Promise<void> => {
    if (!entry.held) return;
    entry.held = false;
    await link().remove(wantedOf(entry));
  };

  const withdrawEntries = async (gone: readonly Entry[]): Promise<void> => {
    for (const entry of gone) entries.delete(entry);
    await Promise.all(gone.map(letGo));
    await firewall.unpublish(gone.map(forwardOf));
    const udp = gone.find(({ protocol }) => protocol === 'udp');
    if (udp !== undefined) await firewall.forgetUdp(udp.owner.address);
    for (const { protocol, guestPort } of gone) guestPorts.release(protocol, guestPort);
  };

  /** The choice was ours, and made while no host was there to ask. */
  const rebind = async (entry: Entry): Promise<void> => {
    await letGo(entry);
    if (!entries.has(entry)) return;
    const outcome = await bind(entry);
    if (!entries.has(entry)) return letGo(entry);
    note(entry, outcome);
    onChange(entry.owner.containerId);
  };

  return {
    async publish(owner, specs) {
      const made = specs.map((spec) => newEntry(owner, spec, guestPorts.take(spec.protocol)));
      for (const entry of made) entries.add(entry);
      try {
        await firewall.publish(made.map(forwardOf));
        for (const entry of made) {
          const outcome = await bind(entry);
          note(entry, outcome);
          if (outcome.kind === 'failed') throw publishError(entry, outcome);
        }
      } catch (cause) {
        await withdrawEntries(made.filter((entry) => entries.has(entry)));
        throw cause;
      }
    },

    withdraw: (containerId) => withdrawEntries(entriesOf(containerId)),

    adopt(owner, records) {
      for (const record of records) {
        guestPorts.adopt(record.protocol, record.guestPort);
        const { protocol, containerPort, hostIp, hostPort, guestPort, hostPorts: choice } = record;
        const entry: Entry = {
          owner,
          protocol,
          containerPort,
          hostIp,
          hostPort,
          guestPort,
          choice,
          held: true,
          state: 'pending',
          detail: '',
        };
        entries.add(entry);
        link().adopt([wantedOf(entry)]);
      }
    },

    of: (containerId) =>
      entriesOf(containerId).map(({ protocol, containerPort, hostIp, hostPort, state, detail }) => {
        return { protocol, containerPort, hostIp, hostPort, state, detail };
      }),

    recordsOf: (containerId) =>
      entriesOf(containerId).map(({ protocol, containerPort, hostIp, hostPort, guestPort, choice: hostPorts }) => {
        return {
          protocol,
          containerPort,
          hostIp,
          hostPort,
          guestPort,
          ...(hostPorts === undefined ? {} : { hostPorts }),
        };
      }),

    forwards: () => [...entries].map(forwardOf),

    settled(port, failed) {
      const entry = [...entries].find(
        ({ protocol, guestPort }) => protocol === port.protocol && guestPort === port.guestPort,
      );
      if (entry?.hostPort !== port.hostPort) return;
      if (failed?.reason === 'taken' && hasAlternatives(entry.choice)) {
        void rebind(entry);
        return;
      }
      const before = `${entry.state} ${entry.detail}`;
      note(entry, failed === undefined ? { kind: 'bound' } : { kind: 'failed', ...failed });
      if (`${entry.state} ${entry.detail}` !== before) onChange(entry.owner.containerId);
    },
  };
}

const hasAlternatives = (choice: PublishSpec['hostPorts']): boolean =>
  choice === undefined || choice.last > choice.first;

function newEntry(owner: PortOwner, spec: PublishSpec, guestPort: number): Entry {
  const { protocol, containerPort, hostPorts: choice } = spec;
  const hostIp = spec.hostIp === '' ? defaultHostIp : spec.hostIp;
  return {
    owner,
    protocol,
    containerPort,
    hostIp,
    choice,
    guestPort,
    hostPort: 0,
    held: false,
    state: 'pending',
    detail: '',
  };
}

/** Who of ours already has that port of the host, on the same address or on all of its family. */
function findHolder(entries: ReadonlySet<Entry>, wanted: Entry, hostPort: number): Entry | undefined {
  const covers = (all: string, ip: string): boolean =>
    (all === '0.0.0.0' && isIPv4(ip)) || (all === '::' && isIPv6(ip));
  return [...entries].find(
    (other) =>
      other !== wanted &&
      other.protocol === wanted.protocol &&
      other.hostPort === hostPort &&
      (other.hostIp === wanted.hostIp || covers(other.hostIp, wanted.hostIp) || covers(wanted.hostIp, other.hostIp)),
  );
}

function note(entry: Entry, outcome: AddOutcome): void {
  entry.state = outcome.kind;
  entry.detail = outcome.kind === 'failed' ? outcome.message : '';
}

const taken = (message: string): AddOutcome => ({ kind: 'failed', reason: 'taken', message });

const wantedOf = ({ protocol, hostIp, hostPort, guestPort, owner }: Entry): WantedPort => ({
  protocol,
  hostIp,
  hostPort,
  guestPort,
  containerId: owner.containerId,
});

const forwardOf = ({ protocol, guestPort, containerPort, owner }: Entry): Forward => ({
  protocol,
  guestPort,
  containerPort,
  address: owner.address,
});

function publishError(entry: Entry, outcome: AddOutcome & { readonly kind: 'failed' }): EngineError {
  const { owner, hostIp, hostPort } = entry;
  const host = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  const reason =
    outcome.reason !== 'taken' || outcome.message.includes('already allocated')
      ? outcome.message
      : `port is already allocated${outcome.message === '' ? '' : ` (${outcome.message})`}`;
  return new EngineError(
    'system',
    `driver failed programming external connectivity on endpoint ${owner.containerName} (${owner.endpointId}): ` +
      `Bind for ${host}:${hostPort} failed: ${reason}`,
    outcome.reason === 'taken' ? { hint: 'choose another host port, or stop what uses this one' } : {},
  );
}
