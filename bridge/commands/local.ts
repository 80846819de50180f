import { userInfo } from 'node:os';

import { loadConfig } from '../config/load.ts';
import { fileOption, type Terminal } from './terminal.ts';

/** Options of every command that goes through the running bridge. */
export const LOCAL_OPTIONS = { config: { type: 'string' }, store: { type: 'string' } } as const;

/** The store of the bridge that is meant: `--store`, else that of the configuration. */
export function storeOf(values: { store?: string; config?: string }, env: Terminal['env']): string {
  return values.store ?? loadConfig({ ...fileOption(values.config), env }).store.path;
}

/** Who asks, for the record: `--by`, else the user of this process. */
export function whoAsks({ by }: { by?: string }): string {
  if (by !== undefined) return by;
  try {
    return userInfo().username;
  } catch {
    // A container's user often has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
