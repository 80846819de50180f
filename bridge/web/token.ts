import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Clock } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { EndedSessions } from './ended-sessions.ts';

/** A mounted Secret may be replaced at any time: its file is read again at most this often, when a request comes. */
const REREAD_MS = 5_000;
const SESSION_MS = 7 * 86_400_000;

/** The token of the page. Comparisons take the same time whatever is wrong. */
export interface PageToken {
  isToken(given: string): boolean;
  /** What a browser keeps instead of the token; void when the token changes. */
  newSession(): { readonly value: string; readonly maxAgeMs: number };
  isSession(given: string): boolean;
  /** Ends a session for good; ignores what is not a session. Throws when a restart would bring it back. */
  endSession(given: string): void;
}

interface TokenOptions {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Where sessions that were logged out are kept. */
  readonly endedSessionsFile: string;
}

/** Throws a UserError when the file cannot be read or holds no token. */
export function createPageToken({ token, tokenFile, endedSessionsFile }: TokenOptions, clock: Clock): PageToken {
  const ended = new EndedSessions(endedSessionsFile);
  let current = tokenFile === undefined ? (token ?? '') : readToken(tokenFile);
  let readAt = clock.now();
  const fresh = (): string => {
    if (tokenFile === undefined || Math.abs(clock.now() - readAt) < REREAD_MS) return current;
    readAt = clock.now();
    current = tryRead(tokenFile) ?? current;
    return current;
  };
  const sign = (session: string): string => createHmac('sha256', fresh()).update(`session ${session}`).digest('hex');
  const valid = (given: string): { id: string; expiresAt: number } | undefined => {
    const [expiresAt = '', id = '', signature = ''] = given.split('.', 3);
    const signed = same(signature, sign(`${expiresAt}.${id}`));
    return signed && Number(expiresAt) > clock.now() && !ended.has(id)
      ? { id, expiresAt: Number(expiresAt) }
      : undefined;
  };
  return {
    isToken: (given) => same(given, fresh()),
    newSession() {
      const session = `${clock.now() + SESSION_MS}.${randomBytes(12).toString('hex')}`;
      return { value: `${session}.${sign(session)}`, maxAgeMs: SESSION_MS };
    },
    isSession: (given) => valid(given) !== undefined,
    endSession(given) {
      const session = valid(given);
      if (session !== undefined) ended.end(session.id, session.expiresAt, clock.now());
    },
  };
}

/** Compares hashes, which have one length, so that timing does not reveal the length of the token. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** The token in a file. Throws a UserError when it cannot be read or holds none. */
export function readToken(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (token !== '') return token;
  } catch (error) {
    throw new UserError(
      `the token of the page cannot be read: ${errorText(error)}`,
      'Mount the Secret that holds the token, let this user read it, or correct the path.',
    );
  }
  throw new UserError(
    `${file}, which holds the token of the page, is empty`,
    'Put the token into it: openssl rand -hex 24',
  );
}

/** Undefined while the file is missing or empty, as in the middle of a rotation: the last token stays good. */
function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
