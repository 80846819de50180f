import type { Transition } from '../lifecycle/transition.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Timer } from '../store/timers.ts';
import type { Turn } from '../turn/turn.ts';
import { planFor } from './announce.ts';
import { NAMESPACE_TIMER } from './await-namespace.ts';
import { Known } from './known-run.ts';

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

/** In the order in which it was recorded. */
function planAwaited(turn: Turn, timers: readonly Pick<Timer, 'id'>[], late?: Reason): void {
  const { tx } = turn;
  const awaited = timers.map(({ id }) => {
    const [, , sink, name, ...rest] = id.split('/');
    tx.timers.clear(id);
    return { destination: `${sink}/${name}`, transitionId: rest.join('/') };
  });
  for (const { destination, transitionId } of awaited) tx.timeline.takeBack(transitionId, destination);
  for (const transition of tx.timeline.recorded(awaited.map(({ transitionId }) => transitionId))) {
    for (const { destination, transitionId } of awaited)
      if (transitionId === transition.id) planOne(turn, destination, transition, late);
  }
}

function planOne(turn: Turn, destination: string, transition: Transition, late: Reason | undefined): void {
  const { tx, destinations } = turn;
  const to = destinations.find(({ planner }) => planner.destination === destination);
  const { runUid } = transition;
  const row = runUid === undefined ? undefined : tx.runs.get(runUid);
  if (to === undefined || (runUid !== undefined && row === undefined)) return;
  const known = new Known(tx, row?.run);
  const memo = row?.memory.memos[destination];
  const planned = planFor(turn, to, { ...(row && { run: row.run }), known, memo, ...(late && { late }) }, transition);
  if (row === undefined || planned === undefined) return;
  const memos = { ...row.memory.memos, [destination]: planned };
  tx.runs.put({ ...row, memory: { ...row.memory, memos } });
}
