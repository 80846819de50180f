import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

import type { Config } from '../config/schema.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { replaceFile } from '../lib/durable-files.ts';

type Configured = Pick<Config, 'web' | 'store'>;

/** Where the bridge keeps the token that it made for its page. */
export function tokenFileBeside(store: string): string {
  return `${store}.page-token`;
}

/** That file, when `web.auth: token` comes without a token. */
export function madeTokenFile({ web, store }: Configured): string | undefined {
  const configured = web.token !== undefined || web.tokenFile !== undefined;
  return web.auth === 'token' && !configured ? tokenFileBeside(store.path) : undefined;
}

/**
 * The settings of the page with a token: where none is configured, it is made once and kept beside the store, for this
 * user only. Returns also the file if this call made it. Throws a UserError when it cannot be written.
 */
export function webWithToken(config: Configured): { readonly web: Config['web']; readonly made: string | undefined } {
  const tokenFile = madeTokenFile(config);
  if (tokenFile === undefined) return { web: config.web, made: undefined };
  const web = { ...config.web, tokenFile };
  if (holdsToken(tokenFile)) return { web, made: undefined };
  try {
    replaceFile(tokenFile, `${randomBytes(24).toString('hex')}\n`);
  } catch (error) {
    throw new UserError(
      `the token of the page cannot be kept in ${tokenFile}: ${errorText(error)}`,
      'Let this user write the folder of the store, or set web.tokenFile.',
    );
  }
  return { web, made: tokenFile };
}

function holdsToken(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').trim() !== '';
}
