/** What can be told wrong with a new network before the engine is asked. Pure. */

/** Wording and rule as the engine's. */
export function checkNetworkName(name: string): string | undefined {
  if (name === '') return 'Type a name.';
  if (name.length > 255) return 'At most 255 characters.';
  if (!/^[a-zA-Z0-9]/.test(name)) return 'Start with a letter or a digit.';
  return /^[a-zA-Z0-9_.-]+$/.test(name) ? undefined : 'Only letters, digits and . _ - are allowed.';
}

/** An empty one is chosen by the engine. */
export function checkSubnet(subnet: string): string | undefined {
  if (subnet === '') return undefined;
  const [, address = '', bits = ''] = /^([^/]+)\/([0-9]{1,2})$/.exec(subnet) ?? [];
  if (!isIpv4(address)) return 'A subnet looks like 172.30.0.0/16.';
  return Number(bits) >= 1 && Number(bits) <= 30 ? undefined : 'After the / goes a number from 1 to 30.';
}

/** An empty one is chosen by the engine, which also knows which prefixes are no network's. */
export function checkSubnet6(subnet: string): string | undefined {
  if (subnet === '') return undefined;
  const [, address = '', bits = ''] = /^([^/]+)\/([0-9]{1,3})$/.exec(subnet) ?? [];
  // The address of a page, between brackets, has the same form: the browser is asked.
  const isAddress = /^[0-9a-fA-F:.]+$/.test(address) && address.includes(':') && URL.canParse(`http://[${address}]/`);
  if (!isAddress) return 'An IPv6 subnet looks like fd00:30::/64.';
  return Number(bits) >= 8 && Number(bits) <= 126 ? undefined : 'After the / goes a number from 8 to 126.';
}

export function checkGateway(gateway: string, subnet: string): string | undefined {
  if (gateway === '') return undefined;
  if (subnet === '') return 'A gateway needs a subnet that it is in.';
  return isIpv4(gateway) ? undefined : 'An address looks like 172.30.0.1.';
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}
