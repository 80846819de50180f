import { createAppAuth } from '@octokit/auth-app';
import type { StrategyOptions } from '@octokit/auth-app';
import type { Clock, Instant } from '../../lib/clock.ts';
import type { HttpResult } from '../http.ts';
import { redactor } from '../redact.ts';
import { SecretFile } from '../secret-file.ts';
import type { GithubConfig } from './config.ts';
import { objectOf } from './fields.ts';
import { oneAtATime } from './in-turn.ts';
import { pemOf } from './pem.ts';
import { appJwt } from './jwt.ts';

/** Less may be the time of the way. */
const CLOCKS_DIFFER_MS = 20_000;

type Permissions = Readonly<Record<string, string>>;

/** A token, or why there is none: what GitHub answered when it was asked for one, or a text. */
export type Token = { readonly token: string } | { readonly failed: HttpResult | string };

/** Credentials of a destination: a token, or an App that gets one for an hour. */
export interface Auth {
  current(): Promise<Token>;
  /** After a 401: another token than `used`, if there may be one now. */
  renew(used: string): Promise<Token | undefined>;
  /** What an installation of an App may do, as GitHub said it last; undefined: not known. */
  permissions(): Permissions | undefined;
  /** GitHub refused the credentials: from now on their file is looked at. */
  refused(): void;
  accepted(): void;
  /** Once true when what was refused has been replaced. */
  isReplaced(): boolean;
  /** True while they are refused and their file may hold others any moment. */
  isRefused(): boolean;
  /** Removes the secrets that were used last. */
  redact(text: string): string;
}

/** Asks GitHub for a token of an installation, with this Authorization. */
export type AskToken = (path: string, authorization: string) => Promise<HttpResult>;

type Source = Pick<Auth, 'current' | 'renew' | 'permissions'>;

/** Throws a UserError when a file cannot be read. */
export function createAuth(destination: string, config: GithubConfig, clock: Clock, ask: AskToken): Auth {
  const { app } = config;
  const seen = new Set<string>();
  const { credential: value, credentialFile: file } = config;
  const secret = new SecretFile(`${destination}: credentialFile`, { value, file });
  const source = app ? appSource(app, secret, seen, clock, ask) : tokenSource(secret, seen);
  let refusedSecret: string | undefined;
  return {
    ...source,
    refused: () => void (refusedSecret = secret.value),
    accepted: () => void (refusedSecret = undefined),
    isReplaced() {
      if (refusedSecret === undefined || !secret.renew(refusedSecret)) return false;
      refusedSecret = undefined;
      return true;
    },
    isRefused: () => secret.mayChange && refusedSecret !== undefined,
    redact: (text) => redactor([...seen])(text),
  };
}

/** More are not in any text of GitHub any more: a token of an App is good for an hour. */
const MAX_SEEN = 50;

function remember(seen: Set<string>, secret: string): void {
  seen.delete(secret);
  seen.add(secret);
  for (const oldest of seen) if (seen.size > MAX_SEEN) seen.delete(oldest);
}

function tokenSource(secret: SecretFile, seen: Set<string>): Source {
  const take = (): Token => {
    remember(seen, secret.value);
    return { token: secret.value };
  };
  return {
    current: () => Promise.resolve(take()),
    renew: (used) => Promise.resolve(secret.renew(used) ? take() : undefined),
    permissions: () => undefined,
  };
}

type App = NonNullable<GithubConfig['app']>;

/** The library keeps requests that are under way by the installation alone, of whatever host: never two at once. */
const inTurn = oneAtATime();

function appSource(app: App, secret: SecretFile, seen: Set<string>, clock: Clock, ask: AskToken): Source {
  let made = { key: '', auth: undefined as ReturnType<typeof createAppAuth> | undefined };
  let permissions: Permissions | undefined;
  /** By how much GitHub's clock is ahead of ours: what identifies an App counts for minutes only. */
  let aheadMs = 0;
  const authOf = (key: string) => {
    if (made.key !== key || made.auth === undefined)
      made = { key, auth: createAppAuth(strategy(app, key, () => clock.now() + aheadMs, ask)) };
    return made.auth!;
  };
  const get = async (refresh: boolean): Promise<Token> => {
    try {
      const got = await authOf(secret.value)({ type: 'installation', refresh });
      permissions = got.permissions;
      remember(seen, got.token);
      return { token: got.token };
    } catch (error) {
      if (error instanceof TokenRefused && isOtherClock(error.result)) return get(true);
      // The library's own words may hold the key.
      return { failed: error instanceof TokenRefused ? error.result : 'the private key of the App cannot be used' };
    }
  };
  const isOtherClock = (result: HttpResult): boolean => {
    const nowMs = aheadBy(result, clock.now());
    if (nowMs === undefined || Math.abs(nowMs - aheadMs) < CLOCKS_DIFFER_MS) return false;
    aheadMs = nowMs;
    return true;
  };
  return {
    current: () => inTurn(() => get(false)),
    renew(_used) {
      secret.renew(secret.value);
      return inTurn(() => get(true));
    },
    permissions: () => permissions,
  };
}

/** By how many ms GitHub's clock is ahead, as its refusal says. */
function aheadBy(result: HttpResult, now: Instant): number | undefined {
  if (result.kind !== 'answer' || result.status !== 401) return undefined;
  const date = Date.parse(result.headers['date'] ?? '');
  return Number.isNaN(date) ? undefined : date - now;
}

class TokenRefused extends Error {
  readonly result: HttpResult;
  constructor(result: HttpResult) {
    super('no token');
    this.result = result;
  }
}

/** The library with our HTTP client and the configured address instead of its own. */
function strategy({ id, installationId }: App, privateKey: string, now: () => Instant, ask: AskToken): StrategyOptions {
  const request = async (_route: string, { headers }: { headers: { authorization: string } }): Promise<object> => {
    const result = await ask(`/app/installations/${installationId}/access_tokens`, headers.authorization);
    const data = result.kind === 'answer' && result.status === 201 ? tokenOf(result.body) : undefined;
    if (data === undefined) throw new TokenRefused(result);
    return { data };
  };
  return {
    appId: id,
    installationId,
    createJwt: (): Promise<{ jwt: string; expiresAt: string }> =>
      Promise.resolve().then(() => appJwt(id, pemOf(privateKey) ?? privateKey, now())),
    request: request as unknown as NonNullable<StrategyOptions['request']>,
    log: { warn: () => {} },
  };
}

function tokenOf(body: string): object | undefined {
  const data = objectOf(body);
  return typeof data['token'] === 'string' && data['token'] !== '' ? data : undefined;
}
