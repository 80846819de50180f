import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp, type Http } from '../../bridge/sinks/http.ts';
import type { ClaimedDesired, ClaimedIntent, Delivery } from '../../bridge/sinks/sink.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { outboxContract } from './outbox-contract.ts';
import { secretForms, startContractVendors } from './sink-case.ts';
import type { Exempt, MakeCase, SinkCase } from './sink-case.ts';

/** Enough for a connection on a busy machine. */
const SHORT_MS = 3_000;
const NOW = Date.parse('2026-01-01T00:00:00Z');

type Send = (fault?: object) => Promise<Delivery>;

interface Bench {
  readonly sink: SinkCase;
  readonly vendors: Vendors;
  readonly signal: AbortSignal;
  readonly deliver: (intents: readonly ClaimedIntent[]) => Promise<Delivery[]>;
  readonly converge: (rows: readonly ClaimedDesired[]) => Promise<Delivery[]>;
  wait(ms: number): void;
  abort(): void;
  /** From now on no request may take longer than SHORT_MS. */
  hurry(): void;
  close(): Promise<void>;
}

async function makeBench(makeCase: MakeCase): Promise<Bench> {
  const vendors = await startContractVendors();
  const sink = makeCase(vendors);
  const real = createHttp({});
  let limit = {};
  const http: Http = { request: (request) => real.request({ ...request, ...limit }), close: () => real.close() };
  let now = NOW;
  const clock = { now: () => now };
  const live = sink.deliverer(http, clock);
  const stop = new AbortController();
  return {
    sink,
    vendors,
    signal: stop.signal,
    deliver: (intents) => live.deliver(intents, stop.signal),
    converge: (rows) => live.converge(rows, stop.signal),
    wait: (ms) => void (now += ms),
    abort: () => stop.abort(),
    hurry: () => ((limit = { timeoutMs: SHORT_MS }), sink.hurry?.(SHORT_MS)),
    async close() {
      await vendors.close();
      await real.close();
    },
  };
}

/** The suite that every sink passes: its deliverer against its simulated vendor, through the real HTTP client. */
export function sinkContract(name: string, makeCase: MakeCase, exempt: Exempt = {}): void {
  describe(`the sink contract of ${name}`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await makeBench(makeCase);
    });
    afterEach(() => bench.close());

    /** Sends one row of a kind, under a fault: an intent of another run each time. What asks for a pause gets it. */
    const sender = (kind: 'intent' | 'desired'): Send => {
      let runs = 0;
      return async (fault) => {
        if (fault !== undefined) bench.vendors.inject({ match: bench.sink.match[kind], ...fault });
        const deliveries =
          kind === 'intent'
            ? await bench.deliver(bench.sink.intents(++runs).slice(0, 1))
            : await bench.converge([bench.sink.desired(1, 'A')]);
        expect(deliveries).toHaveLength(1);
        const delivery = deliveries[0]!;
        if ('afterMs' in delivery) bench.wait(delivery.afterMs ?? 0);
        return delivery;
      };
    };

    const kinds = exempt.telemetry === 'none' ? (['desired'] as const) : (['intent', 'desired'] as const);
    describe.each(kinds)('of %s', (kind) => {
      sharedTable(() => bench, kind, sender(kind));
    });
    if (exempt.telemetry !== 'none') intentRules(() => bench);
    desiredRules(() => bench, exempt);
    outboxContract(makeCase, exempt);
  });
}

function sharedTable(bench: () => Bench, kind: 'intent' | 'desired', send: Send): void {
  it('delivers', async () => {
    expect(await send()).toEqual({ outcome: 'delivered' });
  });

  it.each([500, 502, 503, 504, 408, 425])('tries again after %i, at the time of Retry-After', async (status) => {
    expect(await send({ status })).toMatchObject({ outcome: 'retry' });
    expect(await send({ status, retryAfter: 7 })).toMatchObject({ outcome: 'retry', afterMs: 7000 });
    expect(await send()).toEqual({ outcome: 'delivered' });
  });

  it('holds after 429, for Retry-After in seconds, as a date, or its own pause', async () => {
    const hold = { outcome: 'retry', reason: 'rate_limited', hold: { key: expect.any(String) } };
    expect(await send({ status: 429, retryAfter: 7 })).toMatchObject({ ...hold, afterMs: 7000 });
    // By the vendor's clock, which is not ours here.
    const date = new Date(Date.now() + 30_000).toUTCString();
    const dated = await send({ status: 429, retryAfter: date });
    expect(dated).toMatchObject({ ...hold, afterMs: expect.any(Number) });
    expect(Math.abs((dated as { afterMs: number }).afterMs - 30_000)).toBeLessThan(5_000);
    expect(await send({ status: 429 })).toMatchObject({ ...hold, afterMs: expect.any(Number) });
  });

  it('answers the refusals of its vendor by its own table', async () => {
    for (const [status, expected] of bench().sink.refusals[kind]) {
      expect({ status, ...(await send({ status })) }).toMatchObject({ status, ...expected });
    }
  });

  it('takes a redirect for a bad answer', async () => {
    expect(await send({ status: 302 })).toMatchObject({ outcome: 'retry', reason: 'bad_answer' });
  });

  it('does not know what became of a request without an answer', async () => {
    const lost = { outcome: 'retry', reason: 'answer_lost', unknown: true };
    expect(await send({ reset: true })).toMatchObject(lost);
    bench().hurry();
    const late = await send({ delayMs: 2 * SHORT_MS, status: 500 });
    expect(late).toMatchObject({ outcome: 'retry', reason: 'timeout', unknown: true });
    expect(await send({ resetAfterProcessing: true })).toMatchObject(lost);
  });

  it('knows that an unreachable vendor heard nothing', async () => {
    await bench().vendors.close();
    const known = { outcome: 'retry', reason: 'connection_failed', unknown: false, hold: { key: expect.any(String) } };
    expect(await send()).toMatchObject(known);
  });

  it('says nothing secret, even when the vendor echoes it', async () => {
    const forms = secretForms(bench().sink.secrets);
    for (const status of [200, 302, 400, 401, 403, 404, 429, 500]) {
      const text = JSON.stringify(await send({ status, body: forms.join(' ') }));
      for (const form of forms) expect(text).not.toContain(form);
    }
  });

  it('bounds what it repeats of the vendor', async () => {
    expect(JSON.stringify(await send({ status: 400, body: 'x'.repeat(100_000) })).length).toBeLessThan(2000);
  });

  it('stops when its signal aborts, and tries later', async () => {
    bench().abort();
    expect(await send()).toMatchObject({ outcome: 'retry', reason: 'shutting_down', unknown: false });
    expect(bench().vendors.requests).toEqual([]);
  });
}

function intentRules(bench: () => Bench): void {
  it('answers a batch row by row, in its order', async () => {
    const { sink, vendors, deliver } = bench();
    const batch = [1, 2, 3].map((run) => sink.intents(run)[0]!);
    vendors.inject({ match: sink.match.intent, status: 500 });
    const deliveries = await deliver(batch);
    const failed = deliveries.findIndex(({ outcome }) => outcome === 'retry');
    expect(deliveries.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(2);
    await deliver([batch[failed]!]);
    const each = batch.map((intent) => sink.identify(intent));
    expect(sink.processed(vendors).toSorted()).toEqual(each.toSorted());
  });

  it('repeats with the same identifiers what may have been heard', async () => {
    const { sink, vendors, deliver } = bench();
    const intents = sink.intents(1).slice(0, 1);
    vendors.inject({ match: sink.match.intent, resetAfterProcessing: true });
    await deliver(intents);
    await deliver(intents);
    const [first, ...again] = sink.processed(vendors);
    expect(first).toBeDefined();
    expect(again).toEqual(sink.looksFirst ? [] : [first]);
  });

  it('gives up a stored payload that it cannot read', async () => {
    const { sink, deliver } = bench();
    expect(await deliver([{ ...sink.intents(1)[0]!, payload: null }])).toMatchObject([{ outcome: 'drop' }]);
  });

  it('breaks no rule of its vendor', async () => {
    const { sink, vendors, deliver, converge } = bench();
    await converge([1, 2, 3].map((row) => sink.desired(row, 'A')));
    for (const run of [1, 2, 3]) await deliver(sink.intents(run));
    const refused = vendors.requests.map(({ status }) => status).filter((status) => status >= 400);
    expect(refused.filter((status) => status !== sink.missing)).toEqual([]);
  });
}

function desiredRules(bench: () => Bench, { writes }: Exempt): void {
  it('makes rows what they should be', async () => {
    const { sink, vendors, converge } = bench();
    const rows = [1, 2, 3].map((row) => sink.desired(row, 'A'));
    expect(await converge(rows)).toEqual(rows.map(() => ({ outcome: 'delivered' })));
    for (const row of [1, 2, 3]) expect(sink.kept(vendors, row)).toEqual(sink.desired(row, 'A').wanted);
  });

  it.skipIf(writes === 'once').each([undefined, { resetAfterProcessing: true }])(
    'ends at A after A, B, A (B under %o)',
    async (fault) => {
      const { sink, vendors, converge } = bench();
      await converge([sink.desired(1, 'A')]);
      if (fault !== undefined) vendors.inject({ match: sink.match.desired, ...fault });
      await converge([sink.desired(1, 'B')]);
      expect(sink.kept(vendors, 1)).toEqual(sink.desired(1, 'B').wanted);
      await converge([sink.desired(1, 'A')]);
      expect(sink.kept(vendors, 1)).toEqual(sink.desired(1, 'A').wanted);
    },
  );
}
