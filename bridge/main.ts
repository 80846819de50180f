#!/usr/bin/env node
import { errorText, UserError } from './lib/errors.ts';
import { VERSION } from './lib/version.ts';

/** Loaded when asked for: `explain` does not need the gRPC server. */
const COMMANDS: Readonly<Record<string, { help: string; load: () => Promise<(argv: string[]) => Promise<number>> }>> = {
  run: { help: 'run the bridge', load: async () => (await import('./commands/run.ts')).runCommand },
  check: {
    help: 'check configuration and connectivity',
    load: async () => (await import('./commands/check.ts')).checkCommand,
  },
  record: {
    help: 'record a stream of OTLP exports',
    load: async () => (await import('./commands/record.ts')).recordCommand,
  },
  replay: { help: 'replay a recorded stream', load: async () => (await import('./commands/replay.ts')).replayCommand },
  explain: {
    help: 'say what was seen, decided and sent for a run',
    load: async () => (await import('./commands/explain.ts')).explainCommand,
  },
};

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { help }]) => `  ${name.padEnd(10)}${help}`);
  return ['usage: lifecycle-bridge COMMAND [options]', ...lines, '  version   print the version'].join('\n');
}

/** Runs one command and returns its exit code: 0 fine, 1 not, 2 wrong use. */
async function main([name = '', ...argv]: string[]): Promise<number> {
  if (name === 'version') {
    console.log(VERSION);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    console.error(usage());
    return 2;
  }
  return (await command.load())(argv);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${errorText(error)}`);
  if (error instanceof UserError) console.error(`next:  ${error.next}`);
  else if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    console.error(usage());
  else console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
}
