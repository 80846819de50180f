import { loadConfig } from '../config/load.ts';
import { iso } from '../lib/clock.ts';
import { backupStore } from '../store/sqlite/recovery/backup.ts';
import { restoreStore } from '../store/sqlite/recovery/restore.ts';
import { fileOption, processTerminal, readArguments, type Terminal } from './terminal.ts';
import type { CommandName } from './usage.ts';

const OPTIONS = { config: { type: 'string' }, store: { type: 'string' } } as const;

/** `backup FILE`: a consistent copy of the store beside a running bridge, with progress. Replaces no file. */
export async function backupCommand(argv: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const { file, store } = argumentsOf('backup', argv, terminal);
  const bytes = await backupStore(store, file, Date.now(), (done, total) => {
    terminal.print(`copied ${mib(done)} of about ${mib(total)}`);
  });
  terminal.print(`${file}: ${mib(bytes)}, checked. Bring it back with: lifecycle-bridge restore ${file}`);
  return 0;
}

/** `restore FILE`: puts a backup in the place of the store of a bridge that does not run. */
export function restoreCommand(argv: readonly string[], terminal: Terminal = processTerminal): number {
  const { file, store } = argumentsOf('restore', argv, terminal);
  const { backupAt, movedTo } = restoreStore(store, file, Date.now());
  const kept = movedTo === undefined ? '' : `\nThe store that was there is kept as ${movedTo}.`;
  terminal.print(
    `${store} is now the backup of ${iso(backupAt)}.${kept}\n` +
      'Start the bridge: it reports nothing again that the replaced store reported, and asserts everything that it keeps at vendors.',
  );
  return 0;
}

function argumentsOf(
  command: CommandName,
  argv: readonly string[],
  terminal: Terminal,
): { readonly file: string; readonly store: string } {
  const { values, positionals } = readArguments(command, argv, OPTIONS, ['FILE']);
  const store = values.store ?? loadConfig({ ...fileOption(values.config), env: terminal.env }).store.path;
  return { file: positionals[0] ?? '', store };
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
