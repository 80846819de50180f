import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttp } from './http.ts';
import { isPublic, mayBePublic } from './public-address.ts';

describe('an address', () => {
  it.each([
    '1.1.1.1',
    '52.216.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '64:ff9b::101:101',
    '2002:101:101::1',
  ])('%s is on the internet', (address) => expect(isPublic(address)).toBe(true));

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::10.0.0.1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'host',
    '::ffff:0:127.0.0.1',
  ])('%s is not', (address) => expect(isPublic(address)).toBe(false));

  it.each([
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost:8443/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://017700000001/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://127.0.0.1./',
  ])('%s is none of the internet, however it is written', (url) => expect(mayBePublic(new URL(url))).toBe(false));
});

describe('a request to the internet only', () => {
  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', 'ip6-localhost'])('never arrives at %s', async (host) => {
    const http = createHttp({});
    let requests = 0;
    const server = createServer((_, response) => void (requests++, response.end()));
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    const url = `http://${host}:${(server.address() as AddressInfo).port}/`;
    const result = await http.request({ method: 'PUT', url, timeoutMs: 60_000, publicOnly: true });
    expect(result).toMatchObject({ kind: 'failed', reason: 'connection_failed', unknown: false });
    expect(requests).toBe(0);
    server.close();
    await http.close();
  });
});
