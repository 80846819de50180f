import { parseArgs } from 'node:util';

import { UserError } from '../lib/errors.ts';

/** What a command sees of the world: tests bring their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line (or several) on stdout. */
  print(text: string): void;
}

export const processTerminal: Terminal = { env: process.env, print: (text) => console.log(text) };

interface Arguments {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly positionals: readonly string[];
}

/** Options (each with a value) and positionals; throws a UserError for a wrong number, as parseArgs does for options. */
export function readArguments(
  argv: readonly string[],
  usage: string,
  names: readonly string[],
  positionals: number,
): Arguments {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  const count = parsed.positionals.length;
  if (count === positionals) return parsed;
  throw new UserError(
    `expected ${positionals} argument${positionals === 1 ? '' : 's'}, got ${count}`,
    `usage: ${usage}`,
  );
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
