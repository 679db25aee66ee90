/** View types of networks. */
import type { ContainerState } from './engine.ts';

/** A container connected to a network; a stopped one has no address. */
export interface NetworkMember {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  /** Empty while it does not run. */
  readonly ipAddress: string;
  /** Empty while it does not run, or on a network without IPv6. */
  readonly ip6Address: string;
  readonly macAddress: string;
  readonly aliases: readonly string[];
}

export interface NetworkView {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** No way out of it. */
  readonly internal: boolean;
  /** Its containers have IPv6 addresses too. */
  readonly ipv6: boolean;
  /** One of the engine's own: `bridge`, `host`, `none`. They cannot be removed. */
  readonly builtIn: boolean;
  readonly createdAtMs: number;
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly members: readonly NetworkMember[];
}

export interface NetworkRequest {
  readonly name: string;
  /** In CIDR's form; empty: the engine chooses a free one. */
  readonly subnet: string;
  /** Empty: the first address of the subnet. */
  readonly gateway: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  /** In CIDR's form, with `ipv6`; empty: the engine chooses a free one. */
  readonly subnet6: string;
  readonly labels: Readonly<Record<string, string>>;
}
