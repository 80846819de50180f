import { createHash, timingSafeEqual } from 'node:crypto';

/** The accepted bearer tokens, as digests. */
export type Tokens = readonly Buffer[];

/** One token a line; several, so that the two sides can change one after the other. Throws when there is none. */
export function parseTokens(text: string): Tokens {
  const tokens = text.split('\n').map((line) => line.trim());
  const digests = tokens.filter((token) => token !== '').map(digest);
  if (digests.length === 0) throw new Error('holds no token');
  return digests;
}

/** Whether an `authorization` header carries one of the tokens; takes as long for every wrong one. */
export function isAuthorized(tokens: Tokens, authorization: string | undefined): boolean {
  const given = digest(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
  let found = false;
  for (const token of tokens) found = timingSafeEqual(token, given) || found;
  return found;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
