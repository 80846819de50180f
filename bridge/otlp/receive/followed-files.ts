import { readFile } from 'node:fs/promises';
import { watchFiles } from '../../lib/watch-files.ts';
import { errorText, UserError } from '../../lib/errors.ts';

export interface FollowOptions<T> {
  readonly files: readonly string[];
  /** Throws an Error without secrets in its message. */
  readonly parse: (contents: readonly Buffer[]) => T;
  /** How often they are looked at where the file system does not report changes. */
  readonly everyMs: number;
  readonly onChange?: (value: T) => void;
  readonly onProblem?: (problem: string) => void;
}

/**
 * Reads small files and looks again when they may have changed: by content, as a mounted Secret changes by a symbolic
 * link. Throws a UserError when they cannot be used at the start; later what was read before stays in use.
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
  readonly #endWatch: () => void;
  #contents: readonly Buffer[];
  #value: T;
  #problem: string | undefined;
  #looking = false;
  /** Changed while a look was under way. */
  #again = false;

  constructor(options: FollowOptions<T>, contents: readonly Buffer[], value: T) {
    this.#options = options;
    this.#contents = contents;
    this.#value = value;
    this.#endWatch = watchFiles(options.files, options.everyMs, () => void this.#look());
  }

  get value(): T {
    return this.#value;
  }

  /** Why the files as they are now are not used; the value before them is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  close(): void {
    this.#endWatch();
  }

  async #look(): Promise<void> {
    // Of two looks at once the older could win.
    this.#again = this.#looking;
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
    if (this.#again) await this.#look();
  }
}
