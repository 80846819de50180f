import type { Transition } from '../lifecycle/transition.ts';
import type { Reason } from '../lib/reasons.ts';
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

/** The namespace did not come in time: what waited as long is planned without its labels, and the decision says so. */
export function settleNamespace(turn: Turn, _uid: string, id: string): void {
  const [, name] = id.split('/');
  const due = turn.tx.timers.below(`${NAMESPACE_TIMER}/${name}`).filter((timer) => timer.due <= turn.now);
  planAwaited(turn, due, 'namespace_unseen');
}

/**
 * In the order in which it was recorded. For a destination that left it waits on: it is planned when that is back, or given
 * up with all that waits for it. What was decided otherwise meanwhile stays so.
 */
function planAwaited(turn: Turn, timers: readonly Pick<Timer, 'id'>[], late?: Reason): void {
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
      eachAlone(turn, transition.about.uid, () => planOne(turn, to, transition, late));
  }
}

function planOne(turn: Turn, to: Destination, transition: Transition, late: Reason | undefined): void {
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
  const planned = planFor(turn, to, { ...(row && { run: row.run }), known, memo, ...(late && { late }) }, transition);
  if (row === undefined || planned === undefined) return;
  const memos = { ...row.memory.memos, [destination]: planned };
  tx.runs.put({ ...row, memory: { ...row.memory, memos } });
}
