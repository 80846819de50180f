import { readFile } from 'node:fs/promises';
import { errorText, UserError } from '../lib/errors.ts';

export interface FollowOptions<T> {
  readonly files: readonly string[];
  /** Throws an Error without secrets in its message. */
  readonly parse: (contents: readonly Buffer[]) => T;
  readonly everyMs: number;
  readonly onChange?: (value: T) => void;
  readonly onProblem?: (problem: string) => void;
}

/**
 * Reads small files and looks again every so often: by content, as a mounted Secret changes by a symbolic link. Throws a
 * UserError when they cannot be used at the start; later what was read before stays in use.
 */
export async function followFiles<T>(options: FollowOptions<T>): Promise<Followed<T>> {
  const { files, parse } = options;
  try {
    const contents = await readAll(files);
    return new Followed(options, contents, parse(contents));
  } catch (error) {
    throw new UserError(`cannot use ${files.join(', ')}: ${errorText(error)}`, 'correct the file and start again');
  }
}

const readAll = (files: readonly string[]): Promise<Buffer[]> => Promise.all(files.map((file) => readFile(file)));

/** A value from files: the newest that could be read. */
export class Followed<T> {
  readonly #options: FollowOptions<T>;
  readonly #timer: NodeJS.Timeout;
  #contents: readonly Buffer[];
  #value: T;
  #problem: string | undefined;
  #looking = false;

  constructor(options: FollowOptions<T>, contents: readonly Buffer[], value: T) {
    this.#options = options;
    this.#contents = contents;
    this.#value = value;
    this.#timer = setInterval(() => void this.#look(), options.everyMs).unref();
  }

  get value(): T {
    return this.#value;
  }

  /** Why the files as they are now are not used; the value before them is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    // Of two looks at once the older could win.
    if (this.#looking) return;
    this.#looking = true;
    const { files, parse, onChange, onProblem } = this.#options;
    try {
      const found = await readAll(files);
      const same = found.every((bytes, at) => this.#contents[at]?.equals(bytes));
      if (!same) {
        this.#value = parse(found);
        this.#contents = found;
        onChange?.(this.#value);
      }
      this.#problem = undefined;
    } catch (error) {
      const text = `${files.join(', ')}: ${errorText(error)}; what was read before stays in use`;
      if (text !== this.#problem) onProblem?.(text);
      this.#problem = text;
    } finally {
      this.#looking = false;
    }
  }
}
