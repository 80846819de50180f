import { BlockList, isIP } from 'node:net';

import type { RequestHandler } from 'express';

import { plainAddress } from '../lib/listen-host.ts';
import { refuse, strangersFrame } from './errors.ts';
import type { WebOptions } from './options.ts';
import type { Abuse } from './abuse.ts';

/** The user's name comes from a proxy that is trusted by its address, and from no one else. */
export function proxyHeader(options: WebOptions, abuse: Abuse): RequestHandler {
  const { proxyHeader: name, trustedProxies } = options;
  const trusted = addressList(trustedProxies);
  return (request, response, next) => {
    const address = plainAddress(request.socket.remoteAddress ?? '');
    if (isListed(trusted, address) && (request.get(name) ?? '').trim() !== '') return next();
    abuse.seen(request, 'a request did not come through the trusted proxy');
    const message = `this page is reached only through its proxy, which sends ${name}`;
    refuse(strangersFrame(options), request, response, 401, { message });
  };
}

/** Addresses and networks such as 10.0.0.0/8; the configuration has checked them. */
function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/', 2);
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isListed(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}
