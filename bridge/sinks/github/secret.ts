import { readFileSync } from 'node:fs';
import { errorText, UserError } from '../../lib/errors.ts';

/** A token or a key, from the configuration or from a file that a mounted Secret may replace at any time. */
export interface Secret {
  current(): string;
  /** Reads the file again; true when it holds another one than `used`. */
  renew(used: string): boolean;
  /** Whether it may become another one. */
  readonly isFile: boolean;
}

/** `setting`: what the file is called in the configuration. Throws a UserError when it cannot be read. */
export function createSecret(value: string | undefined, file: string | undefined, setting: string): Secret {
  let secret = file === undefined ? (value ?? '') : read(file, setting);
  return {
    isFile: file !== undefined,
    current: () => secret,
    renew(used) {
      if (file !== undefined) secret = tryRead(file) ?? secret;
      return secret !== used;
    },
  };
}

function read(file: string, setting: string): string {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret !== '') return secret;
  } catch (error) {
    throw new UserError(
      `${setting} cannot be read: ${errorText(error)}`,
      'Mount the Secret that holds it, or correct the path',
    );
  }
  throw new UserError(`${setting} ${file} is empty`, 'Put the secret into it');
}

/** Undefined while the file is missing or empty, as in the middle of a rotation. */
function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
