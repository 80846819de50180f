import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** All of the new content or all of the old one, whatever happens; for this user only. */
export function replaceFile(file: string, content: string): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, content, { flush: true, mode: 0o600 });
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/** Gives a complete file its name, durably; false when that name is taken. */
export function linkNew(file: string, name: string): boolean {
  try {
    linkSync(file, name);
  } catch (error) {
    if (existsSync(name)) return false;
    throw error;
  }
  syncFolder(dirname(name));
  return true;
}

/** Makes renames in a folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
