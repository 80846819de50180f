import type { Failure } from './checker.ts';
import { eventsOf } from './shown.ts';
import type { Simulation } from './simulation.ts';
import type { Checking } from './vendors/vendor.ts';
import type { Sent } from './vendor-http.ts';

const SECOND = 1_000;

/** One thing that a vendor heard of a run. */
export interface Heard {
  /** When. */
  readonly at: number;
  /** As the account's `said` has it. */
  readonly said: string;
  /** The UID that the vendor knows the run by. */
  readonly uid: string;
  readonly state: 'run' | 'complete' | 'fail' | 'other';
  /** When it was, by the vendor's record; ms. Undefined where that has no field for it. */
  readonly stamp: number | undefined;
}

/** Each once: again only where the bridge could not know that it was heard. Or what is wrong with that. */
export function withoutRepeats<H extends Pick<Heard, 'at' | 'said'>>(
  { simulation, host }: Checking,
  heard: readonly H[],
): H[] | string {
  const reported = new Map<string, H>();
  for (const one of heard) {
    const { said, at } = one;
    if (!reported.has(said)) {
      reported.set(said, one);
      continue;
    }
    const tries = simulation.sent.filter(
      (sent) => sent.host === host && hasSaid(sent, said) && sent.sentAt < at && isTaken(sent),
    );
    // The last of them is this one.
    if (!tries.slice(0, -1).every((sent) => mayBeUnknown(simulation, sent))) return `reported twice: ${said}`;
  }
  return [...reported.values()];
}

/** A request may report several things. */
function hasSaid({ said: all }: Sent, said: string): boolean {
  return all === said || (all.includes(said) && all.split(',').includes(said));
}

export function isTaken({ status = 0 }: Sent): boolean {
  return status >= 200 && status < 300;
}

/** Whether who sent it may not know what became of it. */
export function mayBeUnknown({ weather, lives }: Simulation, { answeredAt, program }: Sent): boolean {
  if (answeredAt === undefined) return true;
  const diedAt = lives.find((life) => life.program === program)?.diedAt ?? Infinity;
  return diedAt - answeredAt < 5 * SECOND || weather.was('disk-full', answeredAt, answeredAt);
}

/** Every Event that was acknowledged is a line of the journal. */
export function missingEvents(reported: ReadonlySet<unknown>, { simulation, tenures }: Checking): Failure[] {
  return eventsOf(simulation, tenures[0]!)
    .filter(({ metadata: { uid } }) => !reported.has(uid))
    .map(({ metadata: { uid, name } }) => ({ what: `not in the journal: Event ${name}`, uid }));
}
