/** What a server of Node is given for an address: "::" is every address, also of a machine without IPv6. */
export function listenHost(host: string): string | undefined {
  return host === '::' ? undefined : host;
}

/** As in a URL: an IPv6 address stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The address of an IPv4 client of a server for both, as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
