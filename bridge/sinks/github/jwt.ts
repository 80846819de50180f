import { createPrivateKey, sign } from 'node:crypto';
import type { Instant } from '../../lib/clock.ts';

/** GitHub takes ten minutes at most; a clock may be a little ahead of GitHub's. */
const LIFETIME_S = 9 * 60;
const BEFORE_S = 30;

/** What an App identifies itself with (RS256), at this time by GitHub's clock. Throws for a key that cannot be used. */
export function appJwt(
  id: number,
  privateKey: string,
  now: Instant,
): { readonly jwt: string; readonly expiresAt: string } {
  const from = Math.floor(now / 1000) - BEFORE_S;
  const claims = { iat: from, exp: from + LIFETIME_S, iss: String(id) };
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('RSA-SHA256', Buffer.from(text), createPrivateKey(privateKey)).toString('base64url');
  return { jwt: `${text}.${signature}`, expiresAt: new Date(claims.exp * 1000).toISOString() };
}
