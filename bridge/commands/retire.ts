import { setTimeout as sleep } from 'node:timers/promises';

import { iso } from '../lib/clock.ts';
import { askBridge } from '../control/client.ts';
import type { Retirement } from '../store/operations.ts';
import { LOCAL_OPTIONS, storeOf, whoAsks } from './local.ts';
import { processTerminal, readArguments, type Terminal } from './terminal.ts';
import { UsageError } from './usage.ts';

const OPTIONS = {
  ...LOCAL_OPTIONS,
  timeout: { type: 'string' },
  by: { type: 'string' },
  undo: { type: 'boolean' },
} as const;

const DEFAULT_TIMEOUT_SECONDS = 300;
const POLL_MS = 500;

/**
 * `retire`: everything that is kept at vendors is paused and no telemetry is sent from now on, also after a restart; for an uninstall without
 * false alarms. Waits until the vendors have accepted that; returns 1 when they have not in time. `--undo` ends it.
 * Throws a UserError when no bridge runs.
 */
export async function retireCommand(argv: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const { values } = readArguments('retire', argv, OPTIONS);
  const timeoutMs = seconds(values.timeout) * 1000;
  const store = storeOf(values, terminal.env);
  const { retirement } = await askBridge(store, '/retire', { undo: values.undo === true, by: whoAsks(values) });
  if (retirement !== undefined) return progress(store, retirement, performance.now() + timeoutMs, terminal);
  terminal.print('Not retired: vendor objects are wanted as their CronJobs say, telemetry is sent from now on.');
  return 0;
}

function seconds(text: string | undefined): number {
  const value = Number(text ?? DEFAULT_TIMEOUT_SECONDS);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new UsageError('retire', `--timeout was "${text}", not a whole number of seconds`);
}

/** Prints each step until nothing is open, or until `deadline` (of the monotonic clock, ms). */
async function progress(store: string, first: Retirement, deadline: number, terminal: Terminal): Promise<number> {
  terminal.print(`Retired since ${iso(first.since)} by ${first.by}: no telemetry is sent.`);
  let said = '';
  for (let current: Retirement | undefined = first; current !== undefined;) {
    const { rows, open, refused } = sum(current);
    const text = `${rows - open - refused} of ${rows} vendor objects are accepted as paused`;
    if (text !== said) terminal.print(text);
    said = text;
    if (open === 0) return end(refused, terminal);
    if (performance.now() >= deadline) {
      terminal.print(
        `${open} still open; the bridge goes on trying. Page "Vendor objects" says why; run retire again to wait.`,
      );
      return 1;
    }
    await sleep(POLL_MS);
    current = (await askBridge(store, '/retirement', {})).retirement;
  }
  terminal.print('The retirement was ended meanwhile.');
  return 1;
}

function end(refused: number, terminal: Terminal): number {
  const text =
    refused === 0
      ? 'Done: it may be uninstalled. "lifecycle-bridge retire --undo" goes back.'
      : `${refused} were refused by the vendor: pause them there. Page "Vendor objects" says which and why.`;
  terminal.print(text);
  return refused === 0 ? 0 : 1;
}

function sum({ destinations }: Retirement): { rows: number; open: number; refused: number } {
  const total = { rows: 0, open: 0, refused: 0 };
  for (const { rows, open, refused } of destinations) {
    total.rows += rows;
    total.open += open;
    total.refused += refused;
  }
  return total;
}
