import { logsTransition } from '../lifecycle/logs.ts';
import { announce } from './announce.ts';
import { awaitLogs, logsTimer } from './want-logs.ts';
import { saveRun } from '../turn/run-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** Until the next look at logs that are being read. */
const LOOK_MS = 5_000;
/** Backstop: the log reader gives up earlier than this. */
const MAX_WAIT_MS = 15 * 60_000;

/** Reports, once, that the logs of a run that has ended are read; looks again later while they are not. */
export function settleLogs(turn: Turn, runUid: string): void {
  const { tx, now } = turn;
  tx.timers.clear(logsTimer(runUid));
  const row = tx.runs.get(runUid);
  if (row === undefined) return;
  const since = tx.logs.waitingSince(runUid);
  if (since !== undefined && now - since < MAX_WAIT_MS) return awaitLogs(tx, row.run, now + LOOK_MS);
  if (since !== undefined) tx.logs.giveUp(runUid, 'it was not read in time', now);
  const logs = tx.logs.ofRun(runUid);
  if (logs.length === 0) return;
  const memory = announce(turn, row, [logsTransition(row.run, logs)]);
  saveRun(tx, row, { run: row.run, memory });
}
