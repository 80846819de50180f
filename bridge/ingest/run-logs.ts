import { logsTransition } from '../lifecycle/logs.ts';
import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/store.ts';
import { announce } from './announce.ts';
import type { Destination } from './deps.ts';
import { awaitLogs, logsTimer } from './want-logs.ts';

/** Until the next look at logs that are being read. */
const LOOK_MS = 5_000;
/** Backstop: the log reader gives up earlier than this. */
const MAX_WAIT_MS = 15 * 60_000;

/** Tells, once, that the logs of a run that has ended are read; later while they are not. */
export function settleLogs(tx: Tx, destinations: readonly Destination[], runUid: string, now: Instant): void {
  tx.clearTimer(logsTimer(runUid));
  const row = tx.run(runUid);
  if (row === undefined) return;
  const since = tx.logs.waitingSince(runUid);
  if (since !== undefined && now - since < MAX_WAIT_MS) return awaitLogs(tx, row.run, now + LOOK_MS);
  if (since !== undefined) tx.logs.giveUp(runUid, 'it was not read in time', now);
  const logs = tx.logs.ofRun(runUid);
  if (logs.length === 0) return;
  const memory = announce(tx, destinations, row, [logsTransition(row.run, logs)], now);
  if (memory !== row.memory) tx.putRun({ run: row.run, memory });
}
