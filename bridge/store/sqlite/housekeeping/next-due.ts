import type { Instant } from '../../../lib/clock.ts';
import type { Timer, TimersTx } from '../../timers.ts';
import type { Db } from '../db/db.ts';
import type { LeftWork } from '../db/left-work.ts';

/** Rows of one table that wait for a time, and what there is to do at it. */
interface Waiting {
  readonly table: string;
  /** The first time after ?1, in SQL. */
  readonly first: string;
  /** The destinations of those that are due after ?1 and until ?2, as `name`; without it `mark` is called once. */
  readonly destinations?: string;
  readonly mark: (work: LeftWork, destination: string) => void;
}

/** By destination and its index: however many rows wait, it reads one of each destination. */
function byDestination(table: string, where: string): Pick<Waiting, 'table' | 'first' | 'destinations'> {
  const groups = `WITH RECURSIVE groups (name) AS (
    SELECT min(destination) FROM ${table} WHERE ${where}
    UNION ALL
    SELECT (SELECT min(destination) FROM ${table} WHERE ${where} AND destination > groups.name)
    FROM groups WHERE name IS NOT NULL)`;
  const rows = `FROM ${table} WHERE ${where} AND destination = groups.name AND next_at > ?1`;
  return {
    table,
    first: `(${groups} SELECT min((SELECT min(next_at) ${rows})) FROM groups WHERE name IS NOT NULL)`,
    destinations: `${groups} SELECT name FROM groups WHERE name IS NOT NULL AND EXISTS (SELECT 1 ${rows} AND next_at <= ?2)`,
  };
}

/** What was due before and is still there waits for something else: an answer, a limit, a hold, or a destination that left. */
const INTENTS: readonly Waiting[] = ['ready', 'awaiting'].map((status) => ({
  ...byDestination('intents', `settled_at IS NULL AND status = '${status}'`),
  mark: (work, destination) => work.intents(destination),
}));
const OTHERS: readonly Waiting[] = [
  { ...byDestination('desired', 'sending = 0'), mark: (work, destination) => work.desired(destination) },
  {
    table: 'desired',
    first: '(SELECT min(remove_at) FROM desired WHERE remove_at IS NOT NULL AND remove_at > ?1)',
    mark: (work) => work.sweep(),
  },
  {
    table: 'holds',
    first: '(SELECT min(until) FROM holds WHERE until > ?1)',
    destinations: 'SELECT DISTINCT destination AS name FROM holds WHERE until > ?1 AND until <= ?2',
    mark: (work, destination) => (work.intents(destination), work.desired(destination), work.journal()),
  },
  {
    table: 'logs',
    first: '(SELECT min(next_at) FROM logs WHERE outcome IS NULL AND next_at > ?1)',
    mark: (work) => work.logs(),
  },
  {
    table: 'annotation_problems',
    first: '(SELECT min(next_at) FROM annotation_problems WHERE next_at > ?1)',
    mark: (work) => work.events(),
  },
  {
    table: 'journals',
    first: '(SELECT min(next_at) FROM journals WHERE next_at > ?1)',
    mark: (work) => work.journal(),
  },
];

/** Every statement of it, for the test of their plans. */
export const NEXT_DUE = [...INTENTS, ...OTHERS].flatMap(({ first, destinations }) => [
  `SELECT ${first} AS at`,
  ...(destinations === undefined ? [] : [destinations]),
]);

/** What waits in one table; the first of it is asked for again only when the table is written or that is past. */
class Waits {
  readonly #db: Db;
  readonly #waiting: Waiting;
  readonly #writes: () => number;
  #known: { readonly writes: number; readonly after: Instant; readonly at: Instant } | undefined;

  constructor(db: Db, waiting: Waiting) {
    this.#db = db;
    this.#waiting = waiting;
    this.#writes = db.writesOf(new RegExp(`\\b${waiting.table}\\b`));
  }

  firstAfter(moment: Instant): Instant {
    const writes = this.#writes();
    const known = this.#known;
    if (known?.writes === writes && known.after <= moment && moment < known.at) return known.at;
    const sql = `SELECT ${this.#waiting.first} AS at`;
    const at = this.#db.get<{ at: number | null }>(sql, moment)?.at ?? Infinity;
    this.#known = { writes, after: moment, at };
    return at;
  }

  /** Marks what became due after `since`. */
  markDue(since: Instant, now: Instant): void {
    if (this.firstAfter(since) > now) return;
    const { destinations, mark } = this.#waiting;
    if (destinations === undefined) return mark(this.#db.work, '');
    for (const { name } of this.#db.all<{ name: string }>(destinations, since, now)) mark(this.#db.work, name);
  }
}

/** What waits to be sent grows older, and is given up when it is too old: that is looked at as often. */
const UNSETTLED_MS = 10_000;
const UNSETTLED = 'SELECT 1 FROM intents INDEXED BY intents_due WHERE settled_at IS NULL LIMIT 1';

/** When something of the store is due. */
export class NextDue {
  readonly #db: Db;
  readonly #timers: Pick<TimersTx, 'first'>;
  readonly #intents: readonly Waits[];
  readonly #others: readonly Waits[];
  /** Of the last call, and of the last one that left work to the sweep for what waits. */
  #lookedAt: Instant = -Infinity;
  #sweptAt: Instant = -Infinity;

  constructor(db: Db, timers: Pick<TimersTx, 'first'>) {
    this.#db = db;
    this.#timers = timers;
    this.#intents = INTENTS.map((waiting) => new Waits(db, waiting));
    this.#others = OTHERS.map((waiting) => new Waits(db, waiting));
  }

  /** What is due moved with the clock: all of it counts as new. */
  clockSet(): void {
    this.#lookedAt = -Infinity;
    this.#sweptAt = -Infinity;
  }

  /**
   * When something is due next, timers of `kinds` among it: maybe in the past for a timer, which then did not fire;
   * Infinity for never. What else became due since the last call, or waits for so long that it is to be looked at, is
   * left as work.
   */
  next(now: Instant, kinds: readonly Timer['kind'][]): Instant {
    const isAny = this.#db.get(UNSETTLED) !== undefined;
    const tables = isAny ? [...this.#intents, ...this.#others] : this.#others;
    const since = Math.min(this.#lookedAt, now);
    for (const table of tables) table.markDue(since, now);
    // Only now: what a store that fails did not say is said by the next call.
    this.#lookedAt = now;
    if (isAny && now - this.#sweptAt >= UNSETTLED_MS) {
      this.#db.work.sweep();
      this.#sweptAt = now;
    }
    const timers = this.#timers.first();
    return Math.min(
      isAny ? this.#sweptAt + UNSETTLED_MS : Infinity,
      ...tables.map((table) => table.firstAfter(now)),
      ...kinds.map((kind) => timers.get(kind) ?? Infinity),
    );
  }
}
