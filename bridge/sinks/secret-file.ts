import { readFileSync } from 'node:fs';
import { errorText, UserError } from '../lib/errors.ts';

/** A secret in a file, which a mounted Secret may replace at any time, or one that was given itself. */
export class SecretFile {
  readonly #file: string | undefined;
  #value: string;

  /** Throws a UserError when the file cannot be read. `setting`: how the configuration calls it, with the destination. */
  constructor(
    setting: string,
    { value, file }: { readonly value?: string | undefined; readonly file?: string | undefined },
  ) {
    this.#file = file;
    this.#value = file === undefined ? (value ?? '').trim() : readSecret(setting, file);
  }

  get value(): string {
    return this.#value;
  }

  /** Whether it may become another one without a restart. */
  get mayChange(): boolean {
    return this.#file !== undefined;
  }

  /** Reads the file again; true when it holds another one than `used`. While it is missing or empty, nothing changes. */
  renew(used: string): boolean {
    if (this.#file !== undefined) this.#value = tryRead(this.#file) ?? this.#value;
    return this.#value !== used;
  }
}

function readSecret(setting: string, file: string): string {
  try {
    const value = readFileSync(file, 'utf8').trim();
    if (value !== '') return value;
  } catch (error) {
    throw new UserError(
      `${setting} cannot be read: ${errorText(error)}`,
      'Mount the Secret that holds it, or correct the path',
    );
  }
  throw new UserError(`${setting}: ${file} is empty`, 'Put the secret into it');
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
