import type { Run, Transition } from '../lifecycle/transition.ts';
import { objectOf } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Turn } from '../turn/turn.ts';
import { Known } from './known-run.ts';

const KIND = 'active';

/** Asks a destination again at `due` what it sends of a run that still goes on then; `n`: the how many-th time. */
export function askAgain({ tx }: Turn, destination: string, { uid }: Run, due: Instant, n = 1): void {
  tx.timers.set({ id: `${KIND}/${uid}/${n}/${destination}`, kind: KIND, uid, due });
}

/**
 * Plans that a run goes on, for the destination of the timer `id`. It is not an edge of the run, so nothing is recorded of it
 * but what is sent, as a part of its start.
 */
export function planActive(turn: Turn, uid: string, id: string): void {
  const { tx, now, destinations } = turn;
  tx.timers.clear(id);
  const [, , n, ...name] = id.split('/');
  const destination = name.join('/');
  const row = tx.runs.get(uid);
  const planner = destinations.find((to) => to.planner.destination === destination)?.planner;
  if (row === undefined || planner === undefined || !planner.hears.has('run.active') || isOver(row.run)) return;
  const { run, memory } = row;
  const started = `${run.runKey}/started`;
  if (tx.timeline.decision(started, destination)?.verdict !== 'planned') return;
  const about = objectOf(run);
  const going: Transition = {
    id: `${run.runKey}/active/${n}`,
    kind: 'run.active',
    at: now,
    about: { ...about },
    runUid: uid,
    text: 'still going on',
  };
  const context = new Known(tx, run).contextOf(destination, memory.memos[destination], about);
  const planned = planner.plan(going, context);
  if (planned === null || 'drop' in planned || tx.retirement.covers(now)) return;
  for (const intent of planned.intents) tx.timeline.enqueue(destination, started, intent, now);
  if (planned.again !== undefined) askAgain(turn, destination, run, planned.again, Number(n) + 1);
  if (planned.memo === undefined) return;
  tx.runs.put({ run, memory: { ...memory, memos: { ...memory.memos, [destination]: planned.memo } } });
}

function isOver({ endedAt, deleted, status }: Run): boolean {
  return endedAt !== undefined || deleted || status === 'unknown';
}
