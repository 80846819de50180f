import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  condition,
  container,
  cronJobFacts,
  eventFacts,
  jobFacts,
  ownedBy,
  podFacts,
  seen,
  T0,
  terminated,
} from '../../test/fixtures/facts.ts';
import type { CronJobFacts, Facts, Observation, PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { Db } from '../store/sqlite/db/db.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { createEngine } from './engine.ts';
import type { Engine } from './engine.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LIMITS = { age: 30 * DAY, maxBytes: 1 << 30, logAge: 7 * DAY };
const LOG_LIMITS = { maxRunBytes: 1 << 19, maxStoredBytes: 1 << 27 };
/** Names of destinations come and go. */
const RENAMED_EVERY = 14;
const REFUSED = { outcome: 'drop', reason: 'bad_request' } as const;

/** Two CronJobs that live for ever, and all that comes and goes in two days, again and again. */
class Cluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'growth-'));
  readonly #path = join(this.#folder, 'bridge.db');
  now: Instant = T0;
  #step = 0;
  #version = 1000;
  #destination = 'first';
  #store!: Store;
  #engine!: Engine;

  constructor() {
    this.#open();
  }

  remove(): void {
    this.#store.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** Rows per table. */
  rows(): Map<string, number> {
    const db = new Db(this.#path, true);
    const tables = db.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    const count = (name: string) => db.get<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`)!.n;
    const rows = new Map(tables.map(({ name }) => [name, count(name)]));
    db.close();
    return rows;
  }

  twoDays(): void {
    const n = this.#step++;
    if (n > 0 && n % RENAMED_EVERY === 0) {
      this.#store.close();
      this.#destination = `renamed-${n}`;
      this.#open();
    }
    const own = this.#own(n);
    const preview = cronJobFacts({
      ...this.#names(`preview-${n}`),
      uid: `preview-${n}`,
      createdAt: this.now,
      annotations: {
        'k8s.cronitor.io/grace-seconds': 'soon',
        ...(n % 2 === 0 && { 'k8s.cronitor.io/cronitor-id': `explicit-${n}` }),
      },
    });
    this.#take(...own, seen(preview), ...this.#runOf(preview, n));
    this.#losePod(n);
    this.#refuse(n);
    this.now += HOUR;
    this.#deliver(n);
    this.#take(seen({ ...preview, resourceVersion: this.#next() }, true));
    this.now += 2 * DAY - HOUR;
    this.#engine.tick(this.now);
    this.#deliver(n);
    this.#follow(n);
    this.#store.sweep(this.now, DAY, 120_000, [this.#id]);
    for (let step = 0; step < 40; step++) this.#store.retain(this.now, LIMITS);
    this.#warn(n);
  }

  /** Kubernetes Events about a run that is over. */
  #warn(n: number): void {
    const warnings = Array.from({ length: 20 }, (_, at) =>
      eventFacts({ uid: `event-${n}-${at}`, resourceVersion: this.#next(), lastAt: this.now }),
    );
    const events = warnings.map((facts) => ({ facts, deleted: false, observedAt: this.now }));
    this.#engine.commit([{ observations: [], events, quarantine: [], records: [], newestAt: this.now }], this.now);
  }

  /** A live CronJob with a run and a missed one, one that is suspended now and then, and a pod that crashes for ever. */
  #own(n: number): Observation[] {
    const report = cronJobFacts({ resourceVersion: this.#next(), schedule: '0 0 * * *', createdAt: T0 });
    const annotations = { 'k8s.cronitor.io/grace-seconds': `soon ${n}` };
    const paused = { ...this.#names('paused'), uid: 'paused', suspend: n % 2 === 0, annotations };
    const crashed = container({ name: 'web', restartCount: n, lastTerminated: terminated(1, this.now - HOUR) });
    const web = { ...this.#webPod(0), resourceVersion: this.#next(), containers: [crashed] };
    return [seen(report), seen(cronJobFacts(paused)), ...this.#runOf(report, n + 1_000_000), seen(web)];
  }

  /** A Job from its start to its deletion, with a pod and its log. */
  #runOf(owner: CronJobFacts, n: number): Observation[] {
    const name = `${owner.name}-${n}`;
    const createdAt = this.now - 60_000;
    const job = jobFacts({
      ...this.#names(name),
      uid: `job-${name}`,
      owner: ownedBy(owner),
      createdAt,
      scheduledAt: createdAt,
      startAt: createdAt + 1_000,
    });
    const pod = podFacts({
      ...this.#names(`${name}-x`),
      uid: `pod-${name}`,
      owner: { group: 'batch', kind: 'Job', name, uid: job.uid },
      createdAt,
      phase: 'Failed',
      containers: [container({ terminated: terminated(1, createdAt + 5_000) })],
    });
    const conditions = [condition('Failed', createdAt + 9_000)];
    const failed = { ...job, resourceVersion: this.#next(), failed: 1, conditions };
    const deleted = (facts: Facts): Observation => seen({ ...facts, resourceVersion: this.#next() }, true);
    return [seen(job), seen(pod), seen(failed), deleted(pod), deleted(failed)];
  }

  #webPod(n: number): PodFacts {
    const owner = { group: 'apps', kind: 'ReplicaSet', name: 'web', uid: 'web' };
    return podFacts({ ...this.#names(`web-${n}`), uid: `web-${n}`, owner, phase: 'Running', createdAt: this.now });
  }

  /** Pods of a Deployment that come and go unseen: only the audit misses them. */
  #losePod(n: number): void {
    this.#take(seen(this.#webPod(n + 1)));
    for (let pass = 0; pass < 2; pass++) {
      const { audit } = this.#engine;
      audit.auditBegin({ kind: 'Pod' }, this.now);
      audit.auditPage(this.#next(), [{ uid: 'web-0', version: String(this.#version) }], this.now);
      for (let after: number | undefined = 0; after !== undefined;) after = audit.auditScan(after).next;
      audit.auditEnd(this.now);
      this.now += 60_000;
    }
  }

  #refuse(n: number): void {
    this.#store.transaction((tx) => {
      for (let row = 0; row < 30; row++) {
        const uid = `refused-${n}-${row}`;
        const at = this.now;
        tx.tombstones.refuse({ uid, kind: 'Job', namespace: 'shop', name: uid, reason: 'beyond_retention', at });
        const bytes = new Uint8Array(10);
        tx.quarantine.put({ subject: uid, reason: 'core_error', version: '1', error: 'broken', bytes, at });
      }
    });
  }

  /** Most is delivered; something is held under a key of its own, something is refused, and that is sent again. */
  #deliver(n: number): void {
    const destination = `cronitor/${this.#destination}`;
    const rows = this.#store.claimDesired(destination, 1000, this.now);
    const settled = rows.map(({ key, wantedHash }) => ({ destination, key, sentHash: wantedHash }));
    const accepted = settled.map((row) => ({ ...row, delivery: { outcome: 'delivered' } as const }));
    this.#store.settleDesired(accepted, this.now);
    const hold = { key: `address-${n}` };
    const [held] = this.#store.claim(destination, 1, this.now, [], false);
    const retry = { outcome: 'retry', reason: 'rate_limited', hold, afterMs: 1000 } as const;
    if (held !== undefined) this.#store.settle([{ seq: held.seq, delivery: retry }], this.now);
    this.now += 2000;
    for (let round = 0; round < 8; round++) {
      const claimed = this.#store.claim(destination, 1000, this.now, [], false);
      const refused = { outcome: 'drop', reason: 'bad_request' } as const;
      const results = claimed.map(({ seq }) => ({
        seq,
        delivery: round === 0 ? refused : { outcome: 'delivered' as const },
      }));
      if (claimed.length === 0) break;
      this.#store.settle(results, this.now);
      if (round === 0) this.#store.resend({ subject: String(claimed[0]!.seq), force: true }, 'ada', this.now);
    }
    const wanted = this.#store.wantedLogs(100, this.now, []);
    const read = wanted.map(({ id }) => ({ id, outcome: 'kept' as const, text: new Uint8Array(10), bytes: 10 }));
    this.#store.settleLogs(read, LOG_LIMITS, this.now);
  }

  get #id(): string {
    return `cronitor/${this.#destination}`;
  }

  /** It takes what is committed, and refuses a line now and then. */
  #follow(n: number): void {
    const next = () => this.#store.claimJournal(this.#id, 50, this.now);
    for (let batch = next(), refused = 0; batch !== undefined; batch = next()) {
      const isRefused = batch.entries.length === 1 && n % 10 === 0 && refused++ === 0;
      const delivery = isRefused ? REFUSED : ({ outcome: 'delivered' } as const);
      const { destination, upTo, entries } = batch;
      this.#store.settleJournal([{ destination, upTo, entries: entries.length, delivery }], this.now);
    }
  }

  #take(...observations: Observation[]): void {
    this.#engine.commit([{ observations, quarantine: [], records: [], newestAt: this.now }], this.now);
  }

  #names(name: string) {
    return { namespace: 'shop', name, resourceVersion: this.#next() };
  }

  #next(): string {
    return String(++this.#version);
  }

  #open(): void {
    this.#store = openStore(this.#path, { now: () => this.now });
    const planner = createCronitorPlanner(this.#destination, planConfig());
    const cutoff = this.#store.cutoff(planner.destination, this.now);
    const destination = { planner, rule: { cutoff, running: 'announce' as const }, readsLogs: true };
    this.#engine = createEngine(this.#store, [destination]);
    this.#engine.replan(this.now);
  }
}

let cluster: Cluster;
beforeEach(() => (cluster = new Cluster()));
afterEach(() => cluster.remove());

it('no table grows in 400 days of what comes and goes', () => {
  const day = (days: number): Map<string, number> => {
    while (cluster.now - T0 < days * DAY) cluster.twoDays();
    return cluster.rows();
  };
  const [then, now] = [day(200), day(400)];
  const grown = [...now].filter(([table, rows]) => rows > then.get(table)! * 1.1 + 3);
  expect(grown.map(([table, rows]) => `${table}: ${then.get(table)} → ${rows}`)).toEqual([]);
  // What shows nothing proves nothing.
  const empty = [...now].filter(([, rows]) => rows === 0).map(([table]) => table);
  expect(empty).toEqual(['retirements']);
});
