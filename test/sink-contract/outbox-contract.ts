import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordedRequest } from '../vendors/start-vendors.ts';
import { OutboxBench } from './outbox-bench.ts';
import { secretForms, startContractVendors } from './sink-case.ts';
import type { Exempt, MakeCase } from './sink-case.ts';

/** The answers that made a row what it should be, the last of them at the end. */
function accepted(statuses: readonly number[]): number[] {
  expect(statuses.at(-1)).toBeLessThan(300);
  return statuses.filter((status) => status < 300);
}

/** The part of the sink contract that needs the outbox: order, repetition, restarts, and what is written down. */
export function outboxContract(makeCase: MakeCase, exempt: Exempt): void {
  describe('behind the outbox', () => {
    let bench: OutboxBench;
    beforeEach(async () => {
      bench = new OutboxBench(await startContractVendors(), makeCase);
    });
    afterEach(() => bench.close());

    const identities = (...runs: number[]) =>
      runs.flatMap((run) => bench.sink.intents(run).map((intent) => bench.sink.identify(intent)));

    if (exempt.telemetry !== 'none') telemetryRules(() => bench, identities);
    convergenceRules(() => bench, exempt);
    silenceRules(() => bench, exempt);
  });
}

function telemetryRules(bench: () => OutboxBench, identities: (...runs: number[]) => string[]): void {
  it('delivers an intent once, however often it is planned and the bridge restarted', async () => {
    const { sink, vendors } = bench();
    bench().start();
    bench().want(1, 'A');
    bench().enqueue(1);
    bench().enqueue(1);
    await bench().settled();
    await bench().restart();
    bench().enqueue(1);
    bench().want(2, 'A');
    bench().enqueue(2);
    await bench().settled();
    expect(sink.processed(vendors)).toEqual(identities(1, 2));
  });

  it.each([{ status: 500 }, { status: 429, retryAfter: 30 }, { reset: true }])(
    'keeps the order of a lane while its first fails: %o',
    async (fault) => {
      const { sink, vendors } = bench();
      vendors.inject({ match: sink.match.intent, times: 3, ...fault });
      bench().start();
      bench().want(1, 'A');
      bench().enqueue(1);
      await bench().settled();
      expect(sink.processed(vendors)).toEqual(identities(1));
    },
  );

  it('sends nothing before the desired row that it waits for is accepted', async (context) => {
    const { sink, vendors } = bench();
    context.skip(sink.intents(1)[0]!.waitsFor === undefined, 'its telemetry waits for nothing');
    vendors.inject({ match: sink.match.desired, times: 3, status: 500 });
    bench().start();
    bench().enqueue(1);
    bench().want(1, 'A');
    await bench().settled();
    const isTelemetry = ({ method, path }: RecordedRequest) =>
      [sink.match.intent].flat().every((part) => `${method} ${path}`.includes(part));
    const first = vendors.requests.findIndex(isTelemetry);
    const before = vendors.requests.slice(0, first).map(({ status }) => status);
    expect(before.filter((status) => status !== sink.missing)).toEqual([500, 500, 500, ...accepted(before)]);
    expect(vendors.requests.filter(isTelemetry).map(({ status }) => status)).toEqual(identities(1).map(() => 200));
    expect(sink.processed(vendors)).toEqual(identities(1));
  });

  it('repeats after a lost answer with the same identifiers, and says so', async () => {
    const { sink, vendors } = bench();
    bench().start();
    bench().want(1, 'A');
    await bench().settled();
    vendors.inject({ match: sink.match.intent, resetAfterProcessing: true });
    bench().enqueue(1);
    await bench().settled();
    const [first, ...rest] = identities(1);
    expect(sink.processed(vendors)).toEqual(sink.looksFirst ? [first, ...rest] : [first, first, ...rest]);
    const receipts = bench()
      .read()
      .deliveries.map(({ reason }) => reason);
    expect(receipts.toReversed()).toEqual(['delivered_again', ...rest.map(() => 'delivered')]);
  });

  it('is quiet for as long as Retry-After says', async () => {
    const { sink, vendors } = bench();
    bench().want(1, 'A');
    bench().start();
    await bench().settled();
    vendors.inject({ match: sink.match.intent, status: 429, retryAfter: 30 });
    bench().enqueue(1);
    await bench().settled();
    const at = (outcome: string) =>
      bench().outcomes.findLast(({ delivery }) => typeof delivery === 'object' && delivery.outcome === outcome)!.at;
    expect(at('delivered') - at('retry')).toBeGreaterThanOrEqual(30_000);
  });

  it('is stopped in the middle of a request and finishes after the next start', async () => {
    const { sink, vendors } = bench();
    bench().start();
    bench().want(1, 'A');
    await bench().settled();
    vendors.inject({ match: sink.match.intent, delayMs: 60_000 });
    bench().enqueue(1);
    await bench().until(() => sink.processed(vendors).length === 1);
    await bench().restart();
    await bench().settled();
    const [first, ...rest] = identities(1);
    expect(sink.processed(vendors)).toEqual(sink.looksFirst ? [first, ...rest] : [first, first, ...rest]);
  });
}

function convergenceRules(bench: () => OutboxBench, { writes }: Exempt): void {
  it.skipIf(writes === 'once').each([{}, { delayMs: 100 }, { resetAfterProcessing: true }, { status: 500 }])(
    'ends at A when A, B and A are wanted, B under %o',
    async (fault) => {
      const { sink, vendors } = bench();
      bench().start();
      bench().want(1, 'A');
      await bench().settled();
      vendors.inject({ match: sink.match.desired, ...fault });
      const before = vendors.requests.length;
      bench().want(1, 'B');
      const arrived = () => isDeepStrictEqual(sink.kept(vendors, 1), sink.desired(1, 'B').wanted);
      await bench().until(() => arrived() || vendors.requests.length > before);
      bench().want(1, 'A');
      await bench().settled();
      expect(sink.kept(vendors, 1)).toEqual(sink.desired(1, 'A').wanted);
    },
  );

  it('asks nothing again of what is in sync after a restart', async () => {
    const { vendors } = bench();
    bench().start();
    bench().want(1, 'A');
    await bench().settled();
    const ofOne = vendors.requests.length;
    await bench().restart();
    bench().want(1, 'A');
    bench().want(2, 'A');
    await bench().settled();
    expect(vendors.requests).toHaveLength(2 * ofOne);
  });
}

function silenceRules(bench: () => OutboxBench, { telemetry }: Exempt): void {
  it('sends nothing in a dry run, and records that', async () => {
    const { vendors } = bench();
    bench().start({ dryRun: true });
    bench().want(1, 'A');
    bench().enqueue(1);
    await bench().until(() =>
      bench()
        .read()
        .deliveries.every(({ settledAt }) => settledAt !== undefined),
    );
    expect(
      new Set(
        bench()
          .read()
          .deliveries.map(({ reason }) => reason),
      ),
    ).toEqual(new Set(telemetry === 'none' ? [] : ['dry_run']));
    expect(bench().read().rows).toMatchObject([{ inSync: false, firstAcceptedAt: undefined, reason: undefined }]);
    expect(vendors.requests).toEqual([]);
  });

  it('writes no secret down, whatever the vendor echoes and however it fails', async () => {
    const { sink, vendors } = bench();
    const body = secretForms(sink.secrets).join(' ');
    const faults = [
      { status: 302 },
      { status: 401 },
      { status: 403 },
      { status: 500 },
      { status: 200 },
      { reset: true },
    ];
    for (const fault of faults) vendors.inject({ match: sink.match.desired, body, ...fault });
    for (const fault of [...faults, { status: 400 }]) vendors.inject({ match: sink.match.intent, body, ...fault });
    bench().start();
    bench().want(1, 'A');
    bench().enqueue(1);
    // A refused row is tried again after an hour.
    await bench().settled(60_000);
    const written = bench().stored() + JSON.stringify([bench().outcomes, bench().read()]);
    for (const form of secretForms(sink.secrets)) expect(written).not.toContain(form);
  });
}
