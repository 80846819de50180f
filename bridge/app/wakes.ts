import type { Dispatcher } from '../outbox/dispatcher.ts';
import type { Work } from '../store/work.ts';
import type { ClusterRooms } from './cluster.ts';

/** There is this to do. */
export type Wake = (work: Work) => void;

/** Wakes those who have something to do: each look at the store costs a message to its thread and one back. */
export function wakeOf(dispatcher: Pick<Dispatcher, 'found'>, cluster: Pick<ClusterRooms, 'woken'> | undefined): Wake {
  return (work) => {
    dispatcher.found(work);
    cluster?.woken(work);
  };
}
