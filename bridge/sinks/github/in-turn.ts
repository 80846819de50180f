import type { Delivery } from '../sink.ts';

/** Sends one after the other. What all the rest would be answered too is asked once. */
export async function inTurn<T>(items: readonly T[], send: (item: T) => Promise<Delivery>): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  let blocked: Delivery | undefined;
  for (const item of items) {
    const delivery = blocked === undefined ? await send(item) : asNotSent(blocked);
    if (isBlocking(delivery)) blocked ??= delivery;
    deliveries.push(delivery);
  }
  return deliveries;
}

/** True for an answer that what is still to be sent would get too. */
export function isBlocking(delivery: Delivery): boolean {
  if (delivery.outcome === 'delivered') return false;
  return delivery.hold !== undefined || (delivery.outcome === 'retry' && delivery.reason === 'shutting_down');
}

/** The same for a row of which no request was made. */
export function asNotSent(delivery: Delivery): Delivery {
  return delivery.outcome === 'retry' ? { ...delivery, unknown: false } : delivery;
}

/** Begins each piece of work when the one before it has ended; gives what it gives. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
