import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

import { errorText } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { type CommandName, UsageError } from './usage.ts';

/** What a command sees of the world: tests bring their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line (or several) on stdout; stored texts may hold anything. */
  print(text: string): void;
}

export const processTerminal: Terminal = { env: process.env, print: (text) => console.log(printable(text)) };

/** Options, and positionals of which each has a name and the first ones are needed; throws a UsageError for anything else. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  command: CommandName,
  argv: readonly string[],
  options: Options,
  names: readonly string[] = [],
  needed = names.length,
) {
  const parsed = parse(command, argv, options);
  const { positionals } = parsed;
  const missing = names[positionals.length];
  if (missing !== undefined && positionals.length < needed) throw new UsageError(command, `${missing} is missing`);
  if (positionals.length > names.length)
    throw new UsageError(command, `unexpected argument ${positionals[names.length]}`);
  return parsed;
}

function parse<const Options extends ParseArgsOptionsConfig>(
  command: CommandName,
  argv: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    // Node's advice on "--" after the first sentence does not help here.
    throw new UsageError(command, errorText(error).split(/\. |\n/)[0] ?? '');
  }
}

/** The `--config` option as `loadConfig` takes it. */
export function fileOption(value: string | undefined): { file?: string } {
  return value === undefined ? {} : { file: value };
}

/** Rows as aligned columns, indented by two spaces; empty columns are left out. */
export function columns(rows: readonly (readonly string[])[]): string {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => (widths[column] === 0 ? '' : `  ${cell.padEnd(widths[column] ?? 0)}`));
      return cells.join('').trimEnd();
    })
    .join('\n');
}
