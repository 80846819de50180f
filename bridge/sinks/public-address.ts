import { lookup as dnsLookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** Code of the error when a host has no address that anyone on the internet has. */
export const PRIVATE_ADDRESS = 'ERR_PRIVATE_ADDRESS';

/** What no host of a vendor has: this host, private networks, links, tests, several at once (RFC 6890). */
const PRIVATE: readonly (readonly [address: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['100::', 64],
];
const list = new BlockList();
for (const [address, prefix] of PRIVATE) list.addSubnet(address, prefix, isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** Whether an IP address is one that anyone on the internet has. IPv6 that holds an IPv4 address is judged by that. */
export function isPublic(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !list.check(address, 'ipv4');
  if (version !== 6 || address.includes('%')) return false;
  return !list.check(address, 'ipv6') && embedded(groupsOf(address)).every((inner) => !list.check(inner, 'ipv4'));
}

/** Whether the host of a URL can be one: no private address and no name of this host. Other names are looked up. */
export function mayBePublic({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(host) !== 0) return isPublic(host);
  return host !== 'localhost' && !host.endsWith('.localhost');
}

/** `dns.lookup` of public addresses only: what was looked at is what is connected to. */
export function lookupPublic(
  host: string,
  options: LookupOptions,
  done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
): void {
  dnsLookup(host, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    const [first, ...rest] = addresses.filter(({ address }) => isPublic(address));
    if (first === undefined) return done(Object.assign(new Error('no public address'), { code: PRIVATE_ADDRESS }), []);
    return options.all === true ? done(null, [first, ...rest]) : done(null, first.address, first.family);
  });
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return parse(head);
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

/** The IPv4 addresses that a translated, mapped or tunnelled one stands for. */
function embedded(groups: readonly number[]): string[] {
  const ipv4 = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const [first, second, third] = [groups[0]!, groups[1]!, groups[2]!];
  if (first === 0x20_02) return [ipv4(second, third)];
  const isTranslated = first === 0x64 && second === 0xff_9b;
  const isMapped = groups.slice(0, 4).every((group) => group === 0);
  return isTranslated || isMapped ? [ipv4(groups[6]!, groups[7]!)] : [];
}
