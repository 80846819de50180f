import type { Run } from '../lifecycle/transition.ts';
import type { Tx } from '../store/tx.ts';
import { hears } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';

/**
 * When a run is looked at, in ms since its end was recorded, until all of it is known. Job and pods come by watches of
 * their own; the last look gives up what is still not known.
 */
const LOOKS_MS = [10_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000] as const;
/** The look that gives up pods: those of a Job that was first seen when it was over may have been deleted long before. */
export const PODS_LOOK = LOOKS_MS.indexOf(120_000);

/** Lets a run that has ended settle, if a destination hears of that. Pods and logs of a rollout are not waited for. */
export function awaitSettled({ tx, now, destinations }: Turn, run: Run): void {
  if (!destinations.some((to) => hears(to, 'run.settled', run))) return;
  tx.timers.set({ ...lookTimer(run.uid, 0), due: run.revision === undefined ? now + LOOKS_MS[0] : now });
}

/** Looks again later; false after the last look. */
export function lookAgain(tx: Tx, uid: string, look: number, now: number): boolean {
  const [before, next] = [LOOKS_MS[look]!, LOOKS_MS[look + 1]];
  if (next === undefined) return false;
  tx.timers.set({ ...lookTimer(uid, look + 1), due: now + next - before });
  return true;
}

function lookTimer(uid: string, look: number) {
  return { id: `settled/${uid}/${look}`, kind: 'settled', uid } as const;
}
