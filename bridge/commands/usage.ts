import { UserError } from '../lib/errors.ts';
import { MIGRATE_FROM } from './migrate/usage.ts';

/** Every command: how it is called, and what it does in a few words. */
export const COMMANDS = {
  run: { synopsis: 'run [--config FILE] [--print-config]', does: 'run the bridge' },
  check: { synopsis: 'check [--config FILE]', does: 'check configuration and connectivity' },
  record: {
    synopsis: 'record FILE [--listen HOST:PORT] [--force]',
    does: 'record a stream of OTLP exports',
  },
  replay: {
    synopsis: 'replay FILE [--config FILE] [--store PATH] [--as-recorded] [--serve]',
    does: 'replay a recorded stream',
  },
  explain: {
    synopsis: 'explain UID | NAMESPACE/NAME | NAMESPACE/KIND/NAME [--store PATH | --config FILE]',
    does: 'say what was seen, decided and sent for a run',
  },
  resend: {
    synopsis: 'resend SEQ | TRANSITION | UID [--destination NAME] [--force] [--by NAME] [--store PATH | --config FILE]',
    does: 'send again what was given up, through the running bridge',
  },
  'test-delivery': {
    synopsis: 'test-delivery [--destination NAME] [--store PATH | --config FILE]',
    does: 'send a harmless test to every destination, through the running bridge',
  },
  retire: {
    synopsis: 'retire [--undo] [--timeout SECONDS] [--by NAME] [--store PATH | --config FILE]',
    does: 'pause everything that is kept at vendors and send no telemetry, through the running bridge; --undo ends that',
  },
  'page-token': {
    synopsis: 'page-token [--store PATH | --config FILE]',
    does: 'print the token that lets you see the page',
  },
  backup: {
    synopsis: 'backup FILE [--store PATH | --config FILE]',
    does: 'copy the store, also while the bridge runs',
  },
  restore: {
    synopsis: 'restore FILE [--store PATH | --config FILE]',
    does: 'put a backup in the place of the store',
  },
  'migrate-from': MIGRATE_FROM,
  version: { synopsis: 'version', does: 'print the version' },
} as const;

/** What each option means, in every command that has it. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--config': 'the configuration; default: the file that LIFECYCLE_BRIDGE_CONFIG names',
  '--print-config': 'print the effective configuration, without secrets, and end',
  '--listen': 'where to take exports; default: 127.0.0.1:4317',
  '--force': 'write over a file that exists; send again what was delivered',
  '--store': 'the store of the bridge that is meant; default: that of the configuration',
  '--as-recorded': 'with the times of the recording; default: moved so that it ended just now',
  '--serve': 'go on serving the page afterwards',
  '--destination': 'only this one, as the page names it; default: all',
  '--by': 'who asks, for the record; default: the user of this process',
  '--undo': 'end the retirement',
  '--timeout': 'how long to wait until that is paused; seconds, default 300',
  '--env': 'its variables, a NAME=value a line',
  '--release': 'its Helm release, read from the cluster',
  '--namespace': 'the namespace of the release',
  '--kubeconfig': 'the cluster of the release; default: KUBECONFIG, then ~/.kube/config',
};

export type CommandName = keyof typeof COMMANDS;

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** A command that was called wrongly; `next` is how to call it. */
export class UsageError extends UserError {
  constructor(command: CommandName, message: string) {
    super(message, usageOf(command));
    this.name = 'UsageError';
  }
}

export function usageOf(command: CommandName): string {
  return `usage: lifecycle-bridge ${COMMANDS[command].synopsis}`;
}

/** How a command is called, what it does and what its options mean. */
export function help(command: CommandName): string {
  const flags = new Set(COMMANDS[command].synopsis.match(/--[a-z-]+/g));
  const lines = [...flags].map((flag) => `  ${flag.padEnd(16)}${OPTIONS[flag] ?? ''}`);
  return [usageOf(command), COMMANDS[command].does, ...lines, EXIT_CODES].join('\n');
}

const EXIT_CODES = 'It ends with 0 when all is well, 1 when not, 2 when it was called wrongly.';

export function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(15)}${does}`);
  const more = 'lifecycle-bridge COMMAND --help says what the options of a command mean.';
  return ['usage: lifecycle-bridge COMMAND [options]', ...lines, more, EXIT_CODES].join('\n');
}
