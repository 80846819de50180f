import sqlite from 'node:sqlite';
import type { Failure } from './checker.ts';
import type { Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';
import type { Random } from './random.ts';
import { whole } from './random.ts';
import { time } from './runs.ts';
import type { Shown } from './shown.ts';

const MINUTE = 60_000;
/** An Event is kept for two hours; the clock of the bridge may be wrong. */
const EVENT_MS = 60 * MINUTE;
const GOING_ON = new Set(['pending', 'running', 'stuck', 'suspended']);

export interface OnlookerOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly shown: Shown;
  /** The store of a bridge that works; undefined while there is none. */
  readonly store: () => string | undefined;
  /** Whether everything may be as it was before: etcd was restored. */
  readonly isTakenBack: () => boolean;
}

/**
 * A person who opens the page again and again. What was shown of an object is never shown older; what was shown as gone or
 * over does not come back; and what the bridge acknowledged, it shows.
 */
export class Onlooker {
  readonly failures: Failure[] = [];
  readonly #options: OnlookerOptions;
  /** Version of each object that was shown as living. */
  readonly #versions = new Map<string, number>();
  #living = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #over = new Set<string>();

  constructor(options: OnlookerOptions) {
    this.#options = options;
  }

  begin(): void {
    const { scheduler, random } = this.#options;
    scheduler.in(
      whole(random, 10_000, 10 * MINUTE),
      () => {
        this.begin();
        this.look();
      },
      WORLD,
    );
  }

  look(): void {
    const path = this.#options.store();
    if (path === undefined || this.failures.length > 20) return;
    const db = new sqlite.DatabaseSync(path, { readOnly: true });
    try {
      this.#lookForEvents(db);
      if (this.#options.isTakenBack()) return;
      this.#lookAtObjects(db);
      this.#lookAtRuns(db);
    } finally {
      db.close();
    }
  }

  #lookAtObjects(db: sqlite.DatabaseSync): void {
    const rows = db.prepare('SELECT uid, kind, name, version FROM objects WHERE deleted = 0').all();
    const living = new Set<string>();
    for (const { uid, kind, name, version } of rows as unknown as Row[]) {
      living.add(uid);
      const before = this.#versions.get(uid) ?? 0;
      if (Number(version) < before)
        this.#fail(`${kind} ${name} was shown at version ${before}, then at ${version}`, uid);
      else this.#versions.set(uid, Number(version));
      if (this.#gone.delete(uid)) this.#fail(`${kind} ${name} was shown as gone, then as living`, uid);
    }
    for (const uid of this.#living) if (!living.has(uid)) this.#gone.add(uid);
    this.#living = living;
  }

  #lookAtRuns(db: sqlite.DatabaseSync): void {
    for (const { uid, name, status } of db.prepare('SELECT uid, name, status FROM runs').all() as unknown as Run[]) {
      if (!GOING_ON.has(status)) this.#over.add(uid);
      else if (this.#over.delete(uid)) this.#fail(`run ${name} was shown as over, then as ${status}`, uid);
    }
  }

  /** What was acknowledged of an Event has no second source. */
  #lookForEvents(db: sqlite.DatabaseSync): void {
    const { shown, scheduler } = this.#options;
    if (shown.newEvents.size === 0) return;
    const rows = db.prepare('SELECT uid, version FROM events').all() as unknown as Pick<Row, 'uid' | 'version'>[];
    const known = new Map(rows.map(({ uid, version }) => [uid, Number(version)]));
    for (const { uid, name, version, lastAt } of shown.newEvents.values())
      if (scheduler.now - lastAt < EVENT_MS && (known.get(uid) ?? 0) < version)
        this.#fail(
          `Event ${name} was acknowledged at version ${version}, shown is ${known.get(uid) ?? 'nothing'}`,
          uid,
        );
    shown.newEvents.clear();
  }

  #fail(what: string, uid: string): void {
    this.failures.push({ what: `the page at ${time(this.#options.scheduler.now)}: ${what}`, uid });
  }
}

interface Row {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
  readonly version: string;
}

interface Run {
  readonly uid: string;
  readonly name: string;
  readonly status: string;
}
