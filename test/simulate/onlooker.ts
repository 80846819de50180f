import sqlite from 'node:sqlite';
import type { Bridge } from './bridge.ts';
import type { Failure } from './checker.ts';
import type { Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';
import type { Random } from './random.ts';
import { whole } from './random.ts';
import { time } from './runs.ts';
import type { Shown } from './shown.ts';
import type { Weather } from './weather.ts';

const MINUTE = 60_000;
/** An Event is kept for two hours; the clock of the bridge may be wrong. */
const EVENT_MS = 60 * MINUTE;
/** A version alone is written within half a minute. */
const WRITTEN_MS = 90_000;
const GOING_ON = new Set(['pending', 'running', 'stuck', 'suspended']);

export interface OnlookerOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly shown: Shown;
  /** The bridge, if it works. */
  readonly bridge: () => Pick<Bridge, 'path' | 'startedAt'> | undefined;
  readonly weather: Weather;
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
        this.#look();
      },
      WORLD,
    );
  }

  /** Something went wrong: somebody looks soon. */
  alarmed(): void {
    const { scheduler, random } = this.#options;
    scheduler.in(whole(random, 5_000, 2 * MINUTE), () => this.#look(), WORLD);
  }

  #look(): void {
    const bridge = this.#options.bridge();
    if (bridge === undefined || this.failures.length > 20) return;
    const db = new sqlite.DatabaseSync(bridge.path, { readOnly: true });
    try {
      this.#lookForEvents(db);
      if (this.#options.isTakenBack()) return;
      this.#lookAtObjects(db, bridge.startedAt);
      this.#lookAtRuns(db);
    } finally {
      db.close();
    }
  }

  #lookAtObjects(db: sqlite.DatabaseSync, startedAt: number): void {
    const living = new Set<string>();
    const fail = (uid: string, what: string): void => this.#fail(`${nameOf(db, 'objects', uid)} ${what}`, uid);
    for (const [uid, text] of pairs(db, 'SELECT uid, version FROM objects WHERE deleted = 0')) {
      living.add(uid);
      const version = Number(text);
      const before = this.#versions.get(uid) ?? 0;
      if (version < before) fail(uid, `was shown at version ${before}, then at ${version}`);
      else if (version > before) this.#versions.set(uid, version);
      if (version < this.#acknowledged(uid, startedAt))
        fail(uid, `is shown at version ${version}, and a newer one was acknowledged`);
      if (this.#gone.delete(uid)) fail(uid, 'was shown as gone, then as living');
    }
    for (const uid of this.#living) if (!living.has(uid)) this.#gone.add(uid);
    this.#living = living;
  }

  /** The version that it must be at by now: what changes nothing else is written behind, and what a kill loses of that is read again. */
  #acknowledged(uid: string, startedAt: number): number {
    const { shown, scheduler, weather } = this.#options;
    const { version = 0, versionAt = 0 } = shown.get(uid) ?? {};
    const isDue = versionAt > startedAt && versionAt < scheduler.now - WRITTEN_MS;
    return isDue && !weather.was('disk-full', versionAt, scheduler.now) ? version : 0;
  }

  #lookAtRuns(db: sqlite.DatabaseSync): void {
    for (const [uid, status] of pairs(db, 'SELECT uid, status FROM runs')) {
      if (!GOING_ON.has(status)) this.#over.add(uid);
      else if (this.#over.delete(uid))
        this.#fail(`run ${nameOf(db, 'runs', uid)} was shown as over, then as ${status}`, uid);
    }
  }

  /** What was acknowledged of an Event has no second source. */
  #lookForEvents(db: sqlite.DatabaseSync): void {
    const { shown, scheduler } = this.#options;
    if (shown.newEvents.size === 0) return;
    const known = db.prepare('SELECT version FROM events WHERE uid = ?');
    for (const { uid, name, version, lastAt } of shown.newEvents.values()) {
      if (scheduler.now - lastAt >= EVENT_MS) continue;
      const row = known.get(uid) as { version: string } | undefined;
      if (Number(row?.version ?? 0) < version)
        this.#fail(`Event ${name} was acknowledged at version ${version}, shown is ${row?.version ?? 'nothing'}`, uid);
    }
    shown.newEvents.clear();
  }

  #fail(what: string, uid: string): void {
    this.failures.push({ what: `the page at ${time(this.#options.scheduler.now)}: ${what}`, uid });
  }
}

/** Rows of two texts. Nothing else is asked for: thousands are read at each look, and an index may have all of it. */
function pairs(db: sqlite.DatabaseSync, sql: string): [string, string][] {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement.all() as unknown as [string, string][];
}

function nameOf(db: sqlite.DatabaseSync, table: 'objects' | 'runs', uid: string): string {
  const kind = table === 'objects' ? "kind || ' ' || name" : 'name';
  return String(db.prepare(`SELECT ${kind} AS name FROM ${table} WHERE uid = ?`).get(uid)?.['name']);
}
