/**
 * The base URL of GitHub's API without a slash at its end: https, or http to this machine or a Service of the cluster, as
 * tests and gateways have it. Undefined for any other text.
 */
export function baseUrl(text: string): string | undefined {
  const parsed = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (parsed === null || parsed.username !== '' || parsed.password !== '') return undefined;
  const { protocol, hostname, search, hash, origin, pathname } = parsed;
  const isPlain = protocol === 'http:' && isNear(hostname);
  if ((protocol !== 'https:' && !isPlain) || search !== '' || hash !== '') return undefined;
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

function isNear(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '[::1]' || host.endsWith('.svc.cluster.local');
}
