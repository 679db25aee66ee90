/**
 * The guest's firewall: tables of our own, loaded as a whole with `nft`, with sets so that each later change is one element.
 *
 * - Out: containers reach everything but other bridges, link-local addresses and the guest itself (its name server excepted).
 * - In: nothing reaches a container but published ports and answers.
 * - Internal networks: nothing in, nothing out.
 * - Within a bridge: everything, but what its isolated ports keep apart (seen here only when something loaded br_netfilter).
 * - IPv6: only on bridges of networks that have it, and by the same rules. A container reaches nothing of the guest by it.
 * - Within a bridge: no container tells the others ways out (router advertisements, redirects).
 * - Published ports: `published` maps a port of the guest's own addresses to a container's.
 */
import { spawn } from 'node:child_process';
import type { Kernel } from '../kernel/kernel.ts';
import { addressBytes } from '../kernel/netlink/addresses.ts';
import { decodeConnections, deleteConnection, listConnections } from '../kernel/netlink/conntrack.ts';
import { changeElements, concatenation, type ElementChange, type SetElement } from '../kernel/netlink/nftables.ts';
import { request } from '../kernel/netlink/request.ts';
import type { PortProtocol } from './network.ts';

const table = 'wherry';
const protocolNumbers: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17 };

export interface Forward {
  readonly protocol: PortProtocol;
  readonly guestPort: number;
  readonly address: string;
  readonly containerPort: number;
}

interface FirewallBridge {
  readonly name: string;
  readonly gateway: string;
  readonly inet6: boolean;
  /** Nothing gets in or out. */
  readonly internal: boolean;
  /** What leaves the guest leaves by its address. */
  readonly masquerade: boolean;
}

export interface Firewall {
  /** Replaces what was there, in one transaction: connections do not notice. */
  load(bridges: readonly FirewallBridge[], forwards: readonly Forward[]): Promise<void>;
  /** All or none. */
  publish(forwards: readonly Forward[]): Promise<void>;
  /** Succeeds for those that are not there. */
  unpublish(forwards: readonly Forward[]): Promise<void>;
  /** Forgets UDP "connections" answered by this address: they would outlive the container and catch its successor's packets. */
  forgetUdp(address: string): Promise<void>;
}

export function createFirewall(kernel: Kernel, nftPath: string): Firewall {
  const change = async (changes: readonly ElementChange[]): Promise<void> => {
    const socket = await kernel.openNetlink('netfilter');
    try {
      await request(socket, changeElements(changes));
    } finally {
      socket.close();
    }
  };
  return {
    load: (bridges, forwards) => runNft(nftPath, ruleset(bridges, forwards)),
    async publish(forwards) {
      if (forwards.length > 0) await change(forwards.map((forward) => elementChange('add', forward)));
    },
    async unpublish(forwards) {
      for (const forward of forwards) await change([elementChange('delete', forward)]);
    },
    async forgetUdp(address) {
      const socket = await kernel.openNetlink('netfilter');
      try {
        const [messages = []] = await request(socket, [listConnections()]);
        const stale = decodeConnections(messages).filter(
          ({ protocol, answeredBy }) => protocol === protocolNumbers.udp && answeredBy === address,
        );
        if (stale.length > 0) await request(socket, stale.map(deleteConnection));
      } finally {
        socket.close();
      }
    },
  };
}

/** The whole tables, as `nft -f` takes it. */
function ruleset(bridges: readonly FirewallBridge[], forwards: readonly Forward[]): string {
  const names = bridges.map(({ name }) => `"${name}"`);
  const resolvers = bridges.map(({ name, gateway }) => `"${name}" . ${gateway}`);
  const within = bridges.map(({ name }) => `"${name}" . "${name}"`);
  const internal = bridges.flatMap((bridge) => (bridge.internal ? [`"${bridge.name}"`] : []));
  const inet6 = bridges.flatMap((bridge) => (bridge.inet6 ? [`"${bridge.name}"`] : []));
  const masqueraded = bridges.flatMap((bridge) => (bridge.masquerade ? [`"${bridge.name}"`] : []));
  const published = forwards.map(
    ({ protocol, guestPort, address, containerPort }) => `${protocol} . ${guestPort} : ${address} . ${containerPort}`,
  );
  return `
table inet ${table}
delete table inet ${table}
table inet ${table} {
  set bridges { type ifname; ${elements(names)} }
  set internal { type ifname; ${elements(internal)} }
  set inet6 { type ifname; ${elements(inet6)} }
  set masqueraded { type ifname; ${elements(masqueraded)} }
  set within { type ifname . ifname; ${elements(within)} }
  set resolvers { type ifname . ipv4_addr; ${elements(resolvers)} }
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(published)} }

  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != @bridges dnat ip to meta l4proto . th dport map @published
  }
  chain output {
    type nat hook output priority -100; policy accept;
    oifname "lo" ip daddr != 127.0.0.0/8 dnat ip to meta l4proto . th dport map @published
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    iifname @masqueraded oifname != @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != @bridges oifname != @bridges accept
    iifname . oifname @within accept
    iifname @internal reject with icmpx type admin-prohibited
    oifname @internal drop
    ct state established,related accept
    ct state invalid drop
    iifname @bridges iifname != @inet6 meta nfproto ipv6 drop
    iifname @bridges ip daddr 169.254.0.0/16 reject with icmp type admin-prohibited
    oifname @bridges iifname != @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != @bridges accept
    ct state established,related accept
    ct state invalid drop
    iifname . ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept
    ip protocol icmp icmp type echo-request accept
    iifname != @inet6 meta nfproto ipv6 drop
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    icmpv6 type echo-request accept
    ip6 daddr ff00::/8 drop
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
}
table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    icmpv6 type { nd-router-advert, nd-redirect } drop
  }
}
`;
}

const elements = (list: readonly string[]): string => (list.length === 0 ? '' : `elements = { ${list.join(', ')} };`);

function elementChange(action: ElementChange['action'], forward: Forward): ElementChange {
  const { protocol, guestPort, address, containerPort } = forward;
  const element: SetElement = {
    key: concatenation(Buffer.from([protocolNumbers[protocol]]), portBytes(guestPort)),
    data: concatenation(addressBytes(address), portBytes(containerPort)),
  };
  const attempt = `${action} forward of ${protocol} port ${guestPort} to ${address}:${containerPort}`;
  return { action, table, set: 'published', element, attempt };
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}

async function runNft(nftPath: string, script: string): Promise<void> {
  const child = spawn(nftPath, ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: 30_000 });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words = (words + chunk).slice(0, 4096)));
  // A child that ended early is told by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(script);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`load the firewall: ${nftPath} ended with ${String(code)}: ${words.trim()}`);
}
