import { closeSync, openSync, statSync } from 'node:fs';
import { StoreLost } from '../../trouble.ts';
import { hasHeader } from './integrity.ts';

/** The file of an open store. It stays open as long as the connection: to close a file drops all locks of the process on it. */
export class StoreFile {
  readonly #path: string;
  readonly #inode: number;
  readonly #file: number;

  constructor(path: string) {
    this.#path = path;
    this.#inode = statSync(path).ino;
    this.#file = openSync(path, 'r');
  }

  /**
   * Throws StoreLost when the file is no longer where it was opened, or is not a database any more. All pages may be in
   * memory: no read of the connection would find that what it wrote is lost.
   */
  check(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) {
      throw new StoreLost(`the file ${this.#path} was removed or replaced while it was in use`);
    }
    if (!hasHeader(this.#file)) throw new StoreLost(`the file ${this.#path} was overwritten while it was in use`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
