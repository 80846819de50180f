import type { Committed } from '../ingest/thread/protocol.ts';
import type { Dispatcher } from '../outbox/dispatcher.ts';
import type { ClusterRooms } from './cluster.ts';

/** After a commit that left something to do; without one, after a tick that found something due. */
export type Wake = (committed?: Pick<Committed, 'transitions' | 'send'>) => void;

/** Wakes those who have something to do: each look at the store costs a message to its thread and one back. */
export function wakeOf(
  dispatcher: Pick<Dispatcher, 'wake' | 'committed'>,
  cluster: Pick<ClusterRooms, 'woken'> | undefined,
): Wake {
  return (committed) => {
    if (committed === undefined) dispatcher.wake();
    else dispatcher.committed(committed.send);
    cluster?.woken(committed?.transitions);
  };
}
