import type { JobFacts } from '../kubernetes/observation.ts';
import { arePodsKnown, settledTransition } from '../lifecycle/settled.ts';
import type { Run } from '../lifecycle/transition.ts';
import type { Tx } from '../store/tx.ts';
import { factsOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { announce } from './announce.ts';
import { lookAgain, PODS_LOOK } from './await-settled.ts';

/** Reports, once, that a run is over and all of it is known or given up; `id` is that of the timer, and says which look it is. */
export function settleRun(turn: Turn, uid: string, id: string): void {
  const { tx, now } = turn;
  tx.timers.clear(id);
  const row = tx.runs.get(uid);
  if (row === undefined) return;
  const { run, memory } = row;
  const look = Number(id.slice(id.lastIndexOf('/') + 1));
  const attempts = tx.runs.attempts(uid);
  const missing = {
    pods: run.revision === undefined && !arePodsKnown(attempts, jobOf(tx, run)),
    logs: tx.logs.waitingSince(uid) !== undefined,
  };
  const isOpen = missing.logs || (missing.pods && look < PODS_LOOK);
  if (isOpen && lookAgain(tx, uid, look, now)) return;
  const settled = settledTransition(run, attempts, missing, memory.settledAs);
  if (settled?.outcome === undefined) return;
  tx.runs.put({ run, memory: { ...announce(turn, row, [settled]), settledAs: settled.outcome } });
}

function jobOf(tx: Tx, { kind, uid }: Run): JobFacts | undefined {
  const row = kind === 'Job' ? tx.objects.get(uid) : undefined;
  return row && factsOf<JobFacts>(row);
}
