import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import type { ClaimedDesired, ClaimedIntent, Delivery, Intent } from '../../sinks/sink.ts';
import type { DeliveryView } from '../delivery-view.ts';
import type { DesiredView, ReadStore } from '../read.ts';
import type { Claimant, DesiredRules } from '../desired.ts';
import type { Store } from '../store.ts';
import type { Work } from '../work.ts';
import { Db } from '../sqlite/db/db.ts';
import { openReader, openStore } from '../sqlite/open.ts';

export const DESTINATION = 'demo/default';
export const T0 = Date.UTC(2026, 0, 1);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A real store in a folder of its own under a clock that the test moves, and the steps that tests are written in. */
export class TestStore {
  readonly folder = mkdtempSync(join(tmpdir(), 'bridge-store-'));
  readonly path = join(this.folder, 'store.db');
  now: Instant = T0;
  store: Store = openStore(this.path, { now: () => this.now });
  reader: ReadStore = openReader(this.path);

  /** Closes and opens again. Nothing in flight is settled by that: for the rows it is a crash. */
  restart(awayMs = 0): void {
    this.reader.close();
    this.store.close();
    this.now += awayMs;
    this.store = openStore(this.path, { now: () => this.now });
    this.reader = openReader(this.path);
  }

  remove(): void {
    this.reader.close();
    this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Adds intents, by default each alone in its lane. */
  enqueue(...intents: (Partial<Intent> & { key: string })[]): void {
    this.store.transaction((tx) => {
      for (const intent of intents) {
        const full = { lane: intent.key, payload: null, limits: [], ...intent };
        tx.timeline.enqueue(DESTINATION, `transition of ${intent.key}`, full, this.now);
      }
    });
  }

  /** Objects with these UIDs were seen. */
  know(...uids: readonly string[]): void {
    const of = { kind: 'Job', namespace: 'shop', name: 'known', createdAt: T0 } as const;
    this.store.transaction((tx) => uids.forEach((uid) => tx.tombstones.put({ ...of, uid }, this.now)));
  }

  claim(exclude: readonly string[] = [], dryRun = false): ClaimedIntent[] {
    return this.store.claim(DESTINATION, 100, this.now, exclude, dryRun);
  }

  claimedKeys(exclude: readonly string[] = []): string[] {
    return this.claim(exclude).map(({ key }) => key);
  }

  settle(claimed: readonly ClaimedIntent[], delivery: Delivery, delayMs = delayOf(delivery)): Work | undefined {
    return this.store.settle(
      claimed.map(({ seq }) => ({ seq, delivery, delayMs })),
      this.now,
    );
  }

  want(key: string, wanted: Json, claimant: Partial<Claimant> = {}, rules: Partial<DesiredRules> = {}) {
    const full = { destination: DESTINATION, uid: 'cronjob-1', createdAt: T0, alive: true, ...claimant };
    this.store.transaction((tx) =>
      tx.desired.claim(full, [{ key, wanted }], { retire: () => null, ...rules }, this.now),
    );
  }

  claimRows(): ClaimedDesired[] {
    return this.store.claimDesired(DESTINATION, 100, this.now);
  }

  settleRows(rows: readonly ClaimedDesired[], delivery: Delivery, delayMs = delayOf(delivery)): void {
    const settled = rows.map(({ key, wantedHash }) => ({ destination: DESTINATION, key, sentHash: wantedHash }));
    this.store.settleDesired(
      settled.map((row) => ({ ...row, delivery, delayMs })),
      this.now,
    );
  }

  /** What the store holds, by a query of its own. */
  query<T>(sql: string): T[] {
    const db = new Db(this.path, true);
    const rows = db.all<T>(sql);
    db.close();
    return rows;
  }

  delivery(key: string): DeliveryView {
    const { items } = this.reader.deliveries({ limit: 1000 });
    return items.find((item) => item.transitionId === `transition of ${key}`)!;
  }

  row(key: string): DesiredView {
    return this.reader.desired({ limit: 1000 }).items.find((item) => item.key === key)!;
  }
}

/** As the outbox decides it, at the first failure. */
function delayOf(delivery: Delivery): number {
  return (delivery.outcome === 'retry' ? delivery.afterMs : undefined) ?? SECOND;
}

export const DELIVERED: Delivery = { outcome: 'delivered' };
export const LOST: Delivery = { outcome: 'retry', reason: 'answer_lost', unknown: true };
export const FAILED: Delivery = { outcome: 'retry', reason: 'server_error' };
/** HTTP 500: of this row alone, or of all that shares the limit `vendor`. */
export const SUSPECT: Delivery = { ...FAILED, suspect: { key: 'vendor' } };
export const REFUSED = { outcome: 'drop', reason: 'bad_request', detail: 'no such schedule' } as const;

export function held(key: string, afterMs?: number): Delivery {
  return {
    outcome: 'retry',
    reason: 'rate_limited',
    hold: { key },
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}
