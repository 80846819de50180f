import { UserError } from '../lib/errors.ts';
import { REASONS } from '../lib/reasons.ts';
import { askBridge } from '../control/client.ts';
import type { Resent } from '../store/operations.ts';
import { LOCAL_OPTIONS, storeOf, whoAsks } from './local.ts';
import { columns, processTerminal, readArguments, type Terminal } from './terminal.ts';

const OPTIONS = {
  ...LOCAL_OPTIONS,
  destination: { type: 'string' },
  by: { type: 'string' },
  force: { type: 'boolean' },
} as const;

/**
 * `resend SEQ | TRANSITION | UID`: what was given up is sent again with the same identifiers; with `--force` what was
 * delivered too. Returns 1 when nothing was left to do: everything was delivered, or was for a destination that left. Throws a UserError when no
 * bridge runs or nothing fits.
 */
export async function resendCommand(argv: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const { values, positionals } = readArguments('resend', argv, OPTIONS, ['SEQ, TRANSITION or UID']);
  const subject = positionals[0] ?? '';
  const request = { subject, force: values.force === true, by: whoAsks(values), destination: values.destination };
  const rows = await askBridge(storeOf(values, terminal.env), '/resend', request);
  if (rows.length === 0) throw nothing(subject, values.destination);
  terminal.print(columns(rows.map(line)));
  const refused = rows.filter(({ result }) => result === 'delivered').length;
  if (refused > 0)
    terminal.print(
      `\n${refused} ${refused === 1 ? 'was' : 'were'} delivered already: --force sends that again, and the vendor sees it twice.`,
    );
  return rows.every(({ result }) => result === 'delivered' || result === 'destination_removed') ? 1 : 0;
}

function line({ seq, destination, transitionId, result, was }: Resent): string[] {
  const twice = was === 'delivered' || was === 'delivered_again';
  const reason = was === undefined ? '' : REASONS[was];
  const texts = {
    resent: twice
      ? 'is sent again although it was delivered: the vendor may see it twice'
      : `is sent again; before: ${reason}`,
    delivered: `not sent again: ${reason}`,
    pending: 'is on its way already',
    destination_removed: `not sent again: ${REASONS.destination_removed}`,
  };
  return [result === 'resent' ? '✓' : '–', String(seq), destination, transitionId, texts[result]];
}

function nothing(subject: string, destination: string | undefined): UserError {
  const where = destination === undefined ? '' : ` for ${destination}`;
  return new UserError(
    `no delivery was ever planned for ${subject}${where}`,
    'Give the number of a delivery (page "Deliveries" or "Not sent"), the id of a transition, or the UID of a run; "lifecycle-bridge explain" says why nothing was planned.',
  );
}
