import type { Tx } from '../tx.ts';
import type { Db } from './db/db.ts';
import { Meta } from './db/meta.ts';
import type { NewsOfCommits } from './db/news.ts';
import { Quarantine } from './db/quarantine.ts';
import type { Claims } from './desired/claims.ts';
import type { Destinations } from './destinations/destinations.ts';
import type { EventRows } from './events/event-rows.ts';
import type { Tombstones } from './housekeeping/tombstones.ts';
import type { Sequence } from './journal/sequence.ts';
import { Objects } from './objects/objects.ts';
import { Problems } from './objects/problems.ts';
import { Timers } from './objects/timers.ts';
import { UnjudgedCronJobs } from './objects/unjudged.ts';
import { Versions } from './objects/versions.ts';
import type { Retirement } from './outbox/retirement.ts';
import type { Timeline } from './outbox/timeline.ts';
import { Logs } from './runs/logs.ts';
import { Runs } from './runs/runs.ts';

/** What other parts of the store need too. */
export interface SharedParts {
  readonly sequence: Sequence;
  readonly events: EventRows;
  readonly timeline: Timeline;
  readonly desired: Claims;
  readonly destinations: Destinations;
  readonly retirement: Retirement;
  readonly tombstones: Tombstones;
}

/** The parts of every transaction, one after the other: they live as long as the store. */
export class SqliteTx implements Tx {
  readonly #db: Db;
  readonly #news: NewsOfCommits;
  readonly objects: Objects;
  readonly versions: Versions;
  readonly runs: Runs;
  readonly timeline: Timeline;
  readonly logs: Logs;
  readonly events: EventRows;
  readonly timers: Timers;
  readonly desired: Claims;
  readonly destinations: Destinations;
  readonly retirement: Retirement;
  readonly problems: Problems;
  readonly unjudged: UnjudgedCronJobs;
  readonly tombstones: Tombstones;
  readonly quarantine: Quarantine;
  readonly meta: Meta;

  constructor(db: Db, news: NewsOfCommits, shared: SharedParts) {
    this.#db = db;
    this.#news = news;
    this.objects = new Objects(db);
    this.versions = new Versions(db);
    this.runs = new Runs(db);
    this.timeline = shared.timeline;
    this.logs = new Logs(db);
    this.events = shared.events;
    this.timers = new Timers(db);
    this.desired = shared.desired;
    this.destinations = shared.destinations;
    this.retirement = shared.retirement;
    this.problems = new Problems(db, news);
    this.unjudged = new UnjudgedCronJobs(db, news);
    this.tombstones = shared.tombstones;
    this.quarantine = new Quarantine(db);
    this.meta = new Meta(db);
  }

  attempt<T>(work: () => T): T {
    return this.#news.part(() => this.#db.part(work));
  }

  /** Runs `work` in a transaction of its own: all of it or, when it throws, nothing. */
  run<T>(work: (tx: Tx) => T): T {
    this.#news.begin();
    const result = this.#db.write(() => work(this));
    this.#news.committed();
    return result;
  }
}
