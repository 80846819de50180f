import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { KeptEvent } from '../lifecycle/event.ts';
import type { Instant } from '../lib/clock.ts';

/** Events as they are kept for a while: colour, of which nothing is audited, and nothing remembered once it is gone. */
export interface EventsTx {
  /** False when it is kept already: nothing is written. */
  add(event: KeptEvent): boolean;
  event(uid: string): KeptEvent | undefined;
  /** Takes over what of a newer version is kept: version, time, count and step. */
  update(event: KeptEvent): void;
  /** The last Events about each of these UIDs, 20 at most, together in the order of their times. */
  about(uids: readonly string[]): EventFacts[];
  /** An Event that is not kept and is not newer than this is not taken: it was removed, or would be at once. */
  removedUpTo(now: Instant): Instant;
}
