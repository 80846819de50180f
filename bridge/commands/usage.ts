import { UserError } from '../lib/errors.ts';

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
    synopsis: 'explain UID | NAMESPACE/NAME [--store PATH | --config FILE]',
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
    does: 'pause every monitor and send no telemetry, through the running bridge; --undo ends that',
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
  'migrate-from': {
    synopsis:
      'migrate-from cronitor (FILE | --env FILE | --release NAME --namespace NS [--kubeconfig FILE]) [--namespace NS]',
    does: 'print chart values for what cronitor-kubernetes was installed with',
  },
  version: { synopsis: 'version', does: 'print the version' },
} as const;

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

export function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { does }]) => `  ${name.padEnd(15)}${does}`);
  const more = 'lifecycle-bridge COMMAND --help lists the options of a command.';
  return ['usage: lifecycle-bridge COMMAND [options]', ...lines, more].join('\n');
}
