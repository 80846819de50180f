#!/usr/bin/env node
import { type CommandName, help, isCommand, usage, UsageError } from './commands/usage.ts';
import { errorText, UserError } from './lib/errors.ts';
import { collectGarbageEarly } from './lib/heap.ts';
import { printable } from './lib/printable.ts';
import { VERSION } from './lib/version.ts';

collectGarbageEarly();
// Store, backups and recordings hold messages and logs: they are the business of this user alone.
process.umask(0o077);

type Command = (argv: string[]) => Promise<number> | number;

/** Loaded when asked for: `explain` does not need the gRPC server. */
const LOAD: Readonly<Record<CommandName, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  record: async () => (await import('./commands/record.ts')).recordCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  resend: async () => (await import('./commands/resend.ts')).resendCommand,
  'test-delivery': async () => (await import('./commands/test-delivery.ts')).testDeliveryCommand,
  retire: async () => (await import('./commands/retire.ts')).retireCommand,
  'page-token': async () => (await import('./commands/page-token.ts')).pageTokenCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/backup.ts')).restoreCommand,
  'migrate-from': async () => (await import('./commands/migrate-from.ts')).migrateFromCommand,
  version: async () => printVersion,
};

/** Runs one command and returns its exit code: 0 fine, 1 not, 2 wrong use. */
async function main([name = '', ...argv]: string[]): Promise<number> {
  if (name === '--version') return printVersion();
  if (['help', '--help', '-h'].includes(name)) {
    console.log(usage());
    return 0;
  }
  if (!isCommand(name)) {
    console.error(`${name === '' ? '' : printable(`error: there is no command ${name}\n`)}${usage()}`);
    return 2;
  }
  if (argv.includes('--help') || argv.includes('-h')) {
    console.log(help(name));
    return 0;
  }
  return (await LOAD[name]())(argv);
}

function printVersion(): number {
  console.log(VERSION);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(printable(`error: ${errorText(error)}`));
  if (error instanceof UsageError) console.error(printable(error.next));
  else if (error instanceof UserError) console.error(printable(`next:  ${error.next}`));
  else console.error(printable(error instanceof Error ? String(error.stack) : String(error)));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
