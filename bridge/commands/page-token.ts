import { existsSync } from 'node:fs';

import { loadConfig } from '../config/load.ts';
import { UserError } from '../lib/errors.ts';
import { tokenFileBeside } from '../web/made-token.ts';
import { readToken } from '../web/token.ts';
import { LOCAL_OPTIONS } from './local.ts';
import { fileOption, processTerminal, readArguments, type Terminal } from './terminal.ts';

/**
 * `page-token`: prints the token that the page asks for, wherever it comes from: the configuration, its file, or the file
 * beside the store that the bridge made. Throws a UserError when the page asks for none, or there is none yet.
 */
export function pageTokenCommand(argv: readonly string[], terminal: Terminal = processTerminal): number {
  const { values } = readArguments('page-token', argv, LOCAL_OPTIONS);
  terminal.print(
    values.store === undefined ? configured(values.config, terminal) : made(tokenFileBeside(values.store)),
  );
  return 0;
}

function configured(file: string | undefined, { env }: Terminal): string {
  const config = loadConfig({ ...fileOption(file), env });
  const { auth, token, tokenFile } = config.web;
  if (auth !== 'token') {
    throw new UserError(`the page asks for no token: web.auth is ${auth}`, 'Set web.auth: token if it should.');
  }
  if (token !== undefined) return token;
  return tokenFile === undefined ? made(tokenFileBeside(config.store.path)) : readToken(tokenFile);
}

function made(file: string): string {
  if (existsSync(file)) return readToken(file);
  throw new UserError(
    `there is no token yet: ${file} is missing`,
    'The bridge makes it when it starts with web.auth: token. Name its configuration with --config, or its store with --store.',
  );
}
