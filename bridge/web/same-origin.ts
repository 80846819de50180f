import type { IncomingMessage } from 'node:http';

/**
 * Whether a form was sent by a page of this server, as the browser says it: by Sec-Fetch-Site, or over plain HTTP, where
 * browsers leave that out, by Origin. What sends neither is not a browser, and acts only for itself.
 */
export function isSameOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (headers.origin === undefined) return true;
  const { host } = URL.parse(headers.origin) ?? {};
  return host !== undefined && (host === headers.host || host === headers['x-forwarded-host']);
}
