import type { Instant } from '../../lib/clock.ts';
import type { Db } from './db/db.ts';
import { NewsOfCommits } from './db/news.ts';
import { Claims } from './desired/claims.ts';
import { DesiredRows } from './desired/desired.ts';
import { Destinations } from './destinations/destinations.ts';
import { Retention } from './housekeeping/retention.ts';
import { Sweep } from './housekeeping/sweep.ts';
import { Tombstones } from './housekeeping/tombstones.ts';
import { EventRows } from './events/event-rows.ts';
import { Journals } from './journal/journals.ts';
import { Sequence } from './journal/sequence.ts';
import { lastRecovery } from './recovery/recovery.ts';
import { Holds } from './outbox/holds.ts';
import { Intents } from './outbox/intents.ts';
import { Retirement } from './outbox/retirement.ts';
import { Retirements } from './outbox/retirements.ts';
import { Timeline } from './outbox/timeline.ts';
import { SqliteTx } from './tx.ts';

/** The parts of an open store; all of them write through the one connection that owns it. */
export interface Parts {
  readonly tx: SqliteTx;
  readonly news: NewsOfCommits;
  readonly holds: Holds;
  readonly intents: Intents;
  readonly journals: Journals;
  readonly desired: DesiredRows;
  readonly destinations: Destinations;
  readonly retention: Retention;
  readonly sweep: Sweep;
}

/** `onKeys` is called when what the small file beside the store remembers is another. */
export function createParts(db: Db, now: Instant, onKeys: () => void): Parts {
  const news = new NewsOfCommits();
  const holds = new Holds(db, now);
  const retirements = new Retirements(db);
  const intents = new Intents(db, holds, retirements);
  const claims = new Claims(db, intents, retirements, onKeys);
  const desired = new DesiredRows(db, holds, intents, claims);
  const journals = new Journals(db, holds, retirements, lastRecovery(db)?.cutoff);
  const destinations = new Destinations(db, holds, intents, journals, onKeys);
  const sequence = new Sequence(db);
  const events = new EventRows(db, sequence, journals);
  const tombstones = new Tombstones(db);
  const tx = new SqliteTx(db, news, {
    sequence,
    events,
    timeline: new Timeline(db, sequence, intents, news),
    desired: claims,
    destinations,
    retirement: new Retirement(db, retirements, intents, journals, onKeys),
    tombstones,
  });
  const retention = new Retention(db, tx);
  const sweep = new Sweep(db, holds, intents, journals, retirements, destinations, onKeys);
  return { tx, news, holds, intents, journals, desired, destinations, retention, sweep };
}
