import type { Dispatcher } from '../outbox/dispatcher.ts';
import type { Work } from '../store/work.ts';

/** There is this to do. */
export type Wake = (work: Work) => void;

/** Those who work in the cluster. */
interface InCluster {
  readonly logs: { wake(): void };
  /** Who writes Kubernetes Events, if anybody may. */
  readonly events: { wake(): void } | undefined;
}

/** Wakes those who have something to do: each look at the store costs a message to its thread and one back. */
export function wakeOf(dispatcher: Pick<Dispatcher, 'found'>, cluster: InCluster | undefined): Wake {
  return (work) => {
    dispatcher.found(work);
    if (work.events) cluster?.events?.wake();
    if (work.logs) cluster?.logs.wake();
  };
}

/** What is found before somebody listens waits for that: the audit begins before all rooms are open. */
export class HeldWake {
  #listener: Wake | undefined;
  #held: Work[] = [];

  readonly wake: Wake = (work) => {
    if (this.#listener === undefined) this.#held.push(work);
    else this.#listener(work);
  };

  listen(listener: Wake): void {
    this.#listener = listener;
    this.#held.forEach(listener);
    this.#held = [];
  }
}
