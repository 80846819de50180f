import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Async } from '../lib/async.ts';
import type { ClaimedDesired, ClaimedIntent, ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
import type { OutboxStore } from '../store/outbox-store.ts';

/** The store as the dispatcher sees it: every answer comes later. `calls` counts them. */
export class LateStore implements Async<OutboxStore> {
  readonly calls: Record<string, number> = {};
  /** So many of the next settlements fail, as with a full disk. */
  failures = 0;
  readonly #store: () => OutboxStore;

  constructor(store: () => OutboxStore) {
    this.#store = store;
  }

  claim = (...args: Parameters<OutboxStore['claim']>) => this.#call('claim', (store) => store.claim(...args));
  claimDesired = (...args: Parameters<OutboxStore['claimDesired']>) =>
    this.#call('claimDesired', (store) => store.claimDesired(...args));
  settle = (...args: Parameters<OutboxStore['settle']>) => this.#call('settle', (store) => store.settle(...args));
  isDue = (...args: Parameters<OutboxStore['isDue']>) => this.#call('isDue', (store) => store.isDue(...args));
  recentlySent = (...args: Parameters<OutboxStore['recentlySent']>) =>
    this.#call('recentlySent', (store) => store.recentlySent(...args));
  settleDesired = (...args: Parameters<OutboxStore['settleDesired']>) =>
    this.#call('settleDesired', (store) => store.settleDesired(...args));
  claimJournal = (...args: Parameters<OutboxStore['claimJournal']>) =>
    this.#call('claimJournal', (store) => store.claimJournal(...args));
  settleJournal = (...args: Parameters<OutboxStore['settleJournal']>) =>
    this.#call('settleJournal', (store) => store.settleJournal(...args));
  retryRefused = (...args: Parameters<OutboxStore['retryRefused']>) =>
    this.#call('retryRefused', (store) => store.retryRefused(...args));
  sweep = (...args: Parameters<OutboxStore['sweep']>) => this.#call('sweep', (store) => store.sweep(...args));

  async #call<T>(name: string, work: (store: OutboxStore) => T): Promise<T> {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
    await new Promise((resolve) => setImmediate(resolve));
    if ((name === 'settle' || name === 'settleJournal' || name === 'recentlySent') && this.failures-- > 0)
      throw new Error('disk full');
    return work(this.#store());
  }
}

export interface Vendor {
  readonly url: string;
  /** Paths in the order of their arrival, with the time. */
  readonly seen: { readonly path: string; readonly at: number }[];
  close(): Promise<void>;
}

/** A real HTTP server; `answer` says what becomes of a request, by default 200. */
export async function startVendor(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end(),
): Promise<Vendor> {
  const seen: Vendor['seen'] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url!.slice(1), at: performance.now() });
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A sink of the plainest kind: one GET per row; 500 is tried again, 400 is dropped. */
export function plainDeliverer(
  destination: string,
  { url }: Vendor,
  more: Partial<ConfiguredDeliverer> = {},
): ConfiguredDeliverer {
  const send = async (path: string, signal: AbortSignal): Promise<Delivery> => {
    const { status } = await fetch(`${url}/${path}`, { signal });
    if (status === 200) return { outcome: 'delivered' };
    return status === 400
      ? { outcome: 'drop', reason: 'bad_request' }
      : { outcome: 'retry', reason: 'server_error', detail: `HTTP ${status}` };
  };
  const all = (rows: readonly (ClaimedIntent | ClaimedDesired)[], signal: AbortSignal) =>
    Promise.all(rows.map(({ key }) => send(key, signal)));
  return {
    destination,
    dryRun: false,
    batch: { intents: 1, desired: 10 },
    convergeLimits: [],
    deliver: all,
    converge: all,
    ...more,
  };
}

/** Resolves when `check` holds; fails after half a minute. */
export async function until(check: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within half a minute: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
