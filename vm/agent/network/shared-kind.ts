/** How containers share a network of the drivers macvlan and ipvlan: read from its options, worded as Docker's. */
import { EngineError } from '../../contract/errors.ts';
import type { SharedLinkKind } from '../kernel/netlink/route.ts';
import type { NetworkRecord } from './network.ts';

const macvlanModes = ['bridge', 'private', 'vepa'] as const;
const ipvlanModes = ['l2', 'l3', 'l3s'] as const;
const ipvlanFlags = ['bridge', 'private', 'vepa'] as const;

/** Undefined: a bridge. Throws `invalid-parameter`. */
export function sharedKindOf({
  driver,
  options,
}: Pick<NetworkRecord, 'driver' | 'options'>): SharedLinkKind | undefined {
  if (driver !== 'macvlan' && driver !== 'ipvlan') return undefined;
  const parent = options.parent ?? '';
  if (parent !== '') {
    throw invalid(
      `the parent ${parent} cannot be shared: the VM has no place in your network. Leave the option out: the containers then share a network of their own`,
    );
  }
  if (driver === 'ipvlan') {
    const mode = oneOf(ipvlanModes, options.ipvlan_mode, (text) => {
      return `requested ipvlan mode '${text}' is not valid, 'l2' mode is the ipvlan driver default`;
    });
    const flag = oneOf(ipvlanFlags, options.ipvlan_flag, (text) => {
      return `requested ipvlan flag '${text}' is not valid, 'bridge' is the ipvlan driver default`;
    });
    return { driver, mode, flag };
  }
  if (options.macvlan_mode === 'passthru') {
    throw invalid('the macvlan mode passthru cannot be had: it gives the whole of the parent to one container');
  }
  const mode = oneOf(macvlanModes, options.macvlan_mode, (text) => {
    return `requested macvlan mode '${text}' is not valid, 'bridge' mode is the macvlan driver default`;
  });
  return { driver, mode };
}

/** The first is what is meant by none. */
function oneOf<Name extends string>(
  names: readonly [Name, ...Name[]],
  asked: string | undefined,
  words: (text: string) => string,
): Name {
  if (asked === undefined || asked === '') return names[0];
  const found = names.find((name) => name === asked);
  if (found === undefined) throw invalid(words(asked));
  return found;
}

const invalid = (message: string): EngineError => new EngineError('invalid-parameter', message);
