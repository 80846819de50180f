import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPlanner } from '../../../test/fixtures/default-sink.ts';
import { condition, cronJobFacts, jobFacts, ownedBy, seen, T0 } from '../../../test/fixtures/facts.ts';
import type { Facts, JobFacts, Kind, Observation } from '../../kubernetes/observation.ts';
import type { ReadStore } from '../../store/read.ts';
import { Db } from '../../store/sqlite/db/db.ts';
import { openReader, openStore } from '../../store/sqlite/open.ts';
import type { Store } from '../../store/store.ts';
import type { PassResult } from './audit-calls.ts';
import type { Engine } from '../engine.ts';
import { createEngine } from '../engine.ts';
import type { SchemaOf } from '../../kubernetes/kinds.ts';

export const MINUTE = 60_000;
export const CRON = cronJobFacts();

/** A real store and engine under a clock that the test moves, and the steps that audits are written in. */
export class AuditBench {
  now = T0 + MINUTE;
  store: Store;
  engine: Engine;
  readonly reader: ReadStore;
  readonly #folder = mkdtempSync(join(tmpdir(), 'audit-'));

  constructor() {
    [this.store, this.engine] = this.#open('none');
    this.reader = openReader(this.#path);
  }

  restart(onUnknown: 'none' | 'fail' = 'none', schemaOf?: SchemaOf): void {
    this.store.close();
    [this.store, this.engine] = this.#open(onUnknown, schemaOf);
  }

  remove(): void {
    this.reader.close();
    this.store.close();
    rmSync(this.#folder, { recursive: true });
  }

  take(...observations: Observation[]): void {
    this.engine.commit([{ observations, quarantine: [], records: [] }], this.now);
  }

  /** One whole LIST of a kind as the main thread drives it: what differs is read. Five minutes after the last step. */
  list(kind: Kind, version: string, objects: readonly Facts[], namespace?: string): PassResult {
    this.now += 5 * MINUTE;
    const { audit } = this.engine;
    audit.auditBegin({ kind, ...(namespace !== undefined && { namespace }) }, this.now);
    const entries = objects.map(({ uid, resourceVersion }) => ({ uid, version: resourceVersion }));
    const { differing } = audit.auditPage(version, entries, this.now);
    const wanted = objects.filter(({ uid }) => differing.includes(uid));
    this.take(...wanted.map((facts): Observation => ({ ...seen(facts), listed: true })));
    for (let after: number | undefined = 0; after !== undefined;) after = audit.auditScan(after).next;
    return audit.auditEnd(this.now);
  }

  /** Changes the rows as if another release had written them. */
  edit(sql: string): void {
    const db = new Db(this.#path, false);
    db.exec(sql);
    db.close();
  }

  /** What the store holds, by a query of its own. */
  rows<T>(sql: string): T[] {
    const db = new Db(this.#path, true);
    const rows = db.all<T>(sql);
    db.close();
    return rows;
  }

  wait(ms: number): void {
    this.now += ms;
    this.engine.tick(this.now);
  }

  status(uid = scheduled().uid): string | undefined {
    return this.reader.run(uid)?.run.status;
  }

  pings(): string[] {
    const { items } = this.reader.deliveries({ limit: 1000 });
    return items.toReversed().map(({ payload }) => (payload as { query: { state: string } }).query.state);
  }

  paused(): (boolean | undefined)[] {
    return this.reader.desired({ limit: 10 }).items.map(({ wanted }) => (wanted as { paused?: boolean }).paused);
  }

  get #path(): string {
    return join(this.#folder, 'bridge.db');
  }

  #open(onUnknown: 'none' | 'fail', schemaOf?: SchemaOf): [Store, Engine] {
    const store = openStore(this.#path, { now: () => T0 });
    const planner = defaultPlanner();
    const rule = { cutoff: T0, running: 'announce' as const };
    const options = { graceMs: 15 * MINUTE, ...(schemaOf && { schemaOf }) };
    return [store, createEngine(store, [{ planner, rule, onUnknown }], options)];
  }
}

/** A Job that the CronJob's schedule made, running since T0 + 1 s. */
export const scheduled = (changes: Partial<JobFacts> = {}): JobFacts =>
  jobFacts({ owner: ownedBy(CRON), scheduledAt: T0, startAt: T0 + 1_000, resourceVersion: '110', ...changes });

export const complete = (changes: Partial<JobFacts> = {}): JobFacts =>
  scheduled({
    resourceVersion: '120',
    conditions: [condition('Complete', T0 + 9_000)],
    completionAt: T0 + 9_000,
    ...changes,
  });

export const failed = (): JobFacts =>
  scheduled({ resourceVersion: '120', conditions: [condition('Failed', T0 + 9_000)] });
