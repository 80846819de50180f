import type { Transition } from '../lifecycle/transition.ts';
import type { Timer } from '../store/timers.ts';
import type { Destination } from '../turn/destination.ts';
import { eachAlone } from '../turn/each-alone.ts';
import type { Turn } from '../turn/turn.ts';
import { planFor } from './announce.ts';
import { NAMESPACE_TIMER } from './await-namespace.ts';
import { Known } from './known-run.ts';
import { wantLogOfPod, wantLogs } from './want-logs.ts';

/** Plans what waited for a namespace, which is seen now. */
export function announceInNamespace(turn: Turn, name: string): void {
  planAwaited(turn, turn.tx.timers.below(`${NAMESPACE_TIMER}/${name}`));
}

/** What waited as long for the namespace `turn.unseen` is planned without its labels, and the decision says so; false when nothing did. */
export function announceUnseen(turn: Turn): boolean {
  const { tx, now, unseen } = turn;
  const due = tx.timers.below(`${NAMESPACE_TIMER}/${unseen}`).filter((timer) => timer.due <= now);
  planAwaited(turn, due);
  return due.length > 0;
}

/**
 * In the order in which it was recorded. For a destination that left it waits on: it is planned when that is back, or given
 * up with all that waits for it. What was decided otherwise meanwhile stays so.
 */
function planAwaited(turn: Turn, timers: readonly Pick<Timer, 'id'>[]): void {
  const { tx, destinations } = turn;
  const awaited = timers.flatMap(({ id }) => {
    const [, , sink, name, ...rest] = id.split('/');
    const transitionId = rest.join('/');
    tx.timers.clear(id);
    const to = destinations.find(({ planner }) => planner.destination === `${sink}/${name}`);
    return to !== undefined && tx.timeline.takeBack(transitionId, to.planner.destination) ? [{ to, transitionId }] : [];
  });
  const byTransition = Map.groupBy(awaited, ({ transitionId }) => transitionId);
  for (const transition of tx.timeline.recorded([...byTransition.keys()])) {
    for (const { to } of byTransition.get(transition.id) ?? [])
      eachAlone(turn, transition.about.uid, () => planOne(turn, to, transition));
  }
}

function planOne(turn: Turn, to: Destination, transition: Transition): void {
  const { tx } = turn;
  const { destination } = to.planner;
  const { runUid } = transition;
  const row = runUid === undefined ? undefined : tx.runs.get(runUid);
  if (runUid !== undefined && row === undefined) return;
  const known = new Known(tx, row?.run);
  const memo = row?.memory.memos[destination];
  // Where labels of the namespace decide, no log was wanted before it was seen.
  if (row !== undefined) wantLogs(turn, { run: row.run, known, memos: row.memory.memos, pods: new Map() }, transition);
  else if (transition.kind === 'container.terminated') wantLogOfPod(turn, known, transition);
  const planned = planFor(turn, to, { ...(row && { run: row.run }), known, memo }, transition);
  if (row === undefined || planned === undefined) return;
  const memos = { ...row.memory.memos, [destination]: planned };
  tx.runs.put({ ...row, memory: { ...row.memory, memos } });
}
