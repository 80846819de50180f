import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Async } from '../../bridge/lib/async.ts';
import { startDispatcher } from '../../bridge/outbox/dispatcher.ts';
import type { Dispatcher } from '../../bridge/outbox/dispatcher.ts';
import { createHttp } from '../../bridge/sinks/http.ts';
import type { Http } from '../../bridge/sinks/http.ts';
import type { Delivery } from '../../bridge/sinks/sink.ts';
import type { DeliveryView } from '../../bridge/store/delivery-view.ts';
import type { DesiredView } from '../../bridge/store/read.ts';
import { openReader, openStore } from '../../bridge/store/sqlite/open.ts';
import type { OutboxStore } from '../../bridge/store/outbox-store.ts';
import type { Store } from '../../bridge/store/store.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import type { MakeCase, SinkCase } from './sink-case.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

/** A sink behind the real store and dispatcher, on a clock that runs fast while something is waited for. */
export class OutboxBench {
  readonly vendors: Vendors;
  readonly sink: SinkCase;
  /** Everything that left the outbox: outcomes and errors, with the time on the clock. */
  readonly outcomes: { readonly at: number; readonly delivery: Delivery | string }[] = [];
  private readonly http: Http = createHttp({});
  private readonly folder = mkdtempSync(join(tmpdir(), 'sink-contract-'));
  private readonly clock = { now: () => this.now };
  private now = START;
  private store: Store;
  private dispatcher: Dispatcher | undefined;

  constructor(vendors: Vendors, makeCase: MakeCase) {
    this.vendors = vendors;
    this.sink = makeCase(vendors);
    this.store = openStore(this.path, this.clock);
  }

  private get path(): string {
    return join(this.folder, 'store.db');
  }

  start({ dryRun = false } = {}): void {
    const deliverer = { ...this.sink.deliverer(this.http, this.clock), dryRun };
    this.dispatcher = startDispatcher({
      store: later(() => this.store),
      deliverers: [deliverer],
      clock: this.clock,
      maxAgeMs: DAY_MS,
      random: () => 0.5,
      tickMs: 5,
      onSettled: (_, delivery) => this.outcomes.push({ at: this.now, delivery }),
      onError: (error) => this.outcomes.push({ at: this.now, delivery: String(error) }),
    });
  }

  async restart(): Promise<void> {
    await this.stop();
    this.store.close();
    this.store = openStore(this.path, this.clock);
    this.start();
  }

  async stop(graceMs = 0): Promise<void> {
    await this.dispatcher?.stop(graceMs);
    this.dispatcher = undefined;
  }

  want(row: number, version: 'A' | 'B'): void {
    this.wantAll([row], version);
  }

  /** The same of many rows, in one commit. */
  wantAll(rows: readonly number[], version: 'A' | 'B'): void {
    const { planner } = this.sink;
    this.store.transaction((tx) => {
      for (const row of rows) {
        const claimant = { destination: planner.destination, uid: `claimant-${row}`, createdAt: START, alive: true };
        tx.desired.claim(claimant, [this.sink.desired(row, version)], planner, this.now);
      }
    });
    this.dispatcher?.wake();
  }

  enqueue(run: number): void {
    const { destination } = this.sink.planner;
    this.store.transaction((tx) => {
      for (const intent of this.sink.intents(run))
        tx.timeline.enqueue(destination, intent.transitionId, intent, this.now);
    });
    this.dispatcher?.wake();
  }

  /** Waits, with the clock running by `stepMs` every few milliseconds, until nothing is left to send. */
  async settled(stepMs?: number): Promise<void> {
    const isSettled = () => this.read().deliveries.every(({ settledAt }) => settledAt !== undefined);
    await this.until(() => isSettled() && this.read().rows.every(({ inSync }) => inSync), stepMs);
  }

  async until(condition: () => boolean, stepMs = 200): Promise<void> {
    const deadline = Date.now() + 200_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify([this.outcomes, this.read()])}`);
      this.now += stepMs;
      await sleep(2);
    }
  }

  read(): { deliveries: readonly DeliveryView[]; rows: readonly DesiredView[] } {
    const reader = openReader(this.path);
    const all = { limit: 100 };
    const found = { deliveries: reader.deliveries(all).items, rows: reader.desired(all).items };
    reader.close();
    return found;
  }

  /** Every byte that the store wrote. */
  stored(): string {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
      .join('');
  }

  async close(): Promise<void> {
    await this.stop();
    this.store.close();
    await this.vendors.close();
    await this.http.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** The store as the main thread sees it. */
export function later(store: () => OutboxStore): Async<OutboxStore> {
  return {
    claim: async (...args) => store().claim(...args),
    settle: async (...args) => store().settle(...args),
    isDue: async (...args) => store().isDue(...args),
    recentlySent: async (...args) => store().recentlySent(...args),
    claimDesired: async (...args) => store().claimDesired(...args),
    settleDesired: async (...args) => store().settleDesired(...args),
    claimJournal: async (...args) => store().claimJournal(...args),
    settleJournal: async (...args) => store().settleJournal(...args),
    retryRefused: async (...args) => store().retryRefused(...args),
    sweep: async (...args) => store().sweep(...args),
  };
}
