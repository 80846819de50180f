import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { condition, container, jobFacts, podFacts, terminated, T0 } from '../../../test/fixtures/facts.ts';
import type { OtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { at, TestEngine, uidOf } from '../../ingest/test-engine.ts';
import { LateStore, until } from '../../outbox/fixtures.ts';
import type { Dispatcher } from '../../outbox/dispatcher.ts';
import { startDispatcher } from '../../outbox/dispatcher.ts';
import type { Deliverer, Delivery } from '../sink.ts';
import { otlpSchema } from './config.ts';
import { createOtlpDeliverer } from './deliver.ts';
import { createOtlpPlanner } from './plan.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Behind the cut-off of the destination. */
const BEGAN = T0 + MINUTE;
const TO = 'opentelemetry/default';

let now: number;
let bridge: TestEngine;
let receivers: OtlpReceiver[];
let deliverer: Deliverer;
let dispatcher: Dispatcher;
let settled: Delivery[];

beforeEach(async () => {
  [now, settled, receivers] = [BEGAN, [], [await startOtlpReceiver()]];
  const config = otlpSchema.parse({ endpoint: receivers[0]!.endpoint });
  bridge = new TestEngine({ planners: [createOtlpPlanner('default', config)] });
  const clock = { now: () => now };
  deliverer = createOtlpDeliverer('default', config, { clock, clusterName: 'production', pageUrl: undefined });
  dispatcher = startDispatcher({
    store: new LateStore(() => bridge.store),
    deliverers: [{ ...deliverer, dryRun: false }],
    clock,
    maxAgeMs: 24 * 60 * MINUTE,
    random: () => 0,
    onSettled: (_, delivery) => settled.push(delivery),
    tickMs: 20,
  });
});
afterEach(async () => {
  await dispatcher.stop(0);
  deliverer.close?.();
  receivers.forEach((receiver) => receiver.stop());
  bridge.close();
});

/** A Job with one pod that ends, begun ten seconds ago; it settles a little later. */
function runOf(number: number): void {
  const name = `report-${number}`;
  const job = jobFacts({
    uid: uidOf(number),
    name,
    owner: undefined,
    startAt: now - 10 * SECOND,
    createdAt: now - 10 * SECOND,
  });
  const ends = terminated(0, now - 2 * SECOND);
  const pod = podFacts({
    uid: `pod-${number}`,
    name: `${name}-x`,
    owner: { group: 'batch', kind: 'Job', name, uid: job.uid },
    createdAt: now - 10 * SECOND,
    startAt: now - 9 * SECOND,
    phase: 'Succeeded',
    containers: [container({ terminated: ends })],
  });
  const done = { conditions: [condition('Complete', now - SECOND)], completionAt: now - SECOND, succeeded: 1 };
  bridge.take([at(job, now), at(pod, now), at({ ...job, ...done, resourceVersion: '120' }, now)], now);
}

function passes(ms: number): void {
  now += ms;
  bridge.take([], now);
  bridge.tick(now);
  dispatcher.wake();
}

const failures = (): number => settled.filter(({ outcome }) => outcome === 'retry').length;
const waits = (): boolean =>
  bridge.reader.journals().some(({ waiting }) => waiting > 0) ||
  bridge.reader.deliveries({ limit: 1_000 }).items.some(({ status: is }) => is === 'pending' || is === 'sending');

/** A run every six minutes, while each try fails: longer than any pause, so that each step has one. */
async function away(fromRun: number, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const before = failures();
    runOf(fromRun + step);
    passes(6 * MINUTE);
    await until(() => failures() > before);
  }
}

const roots = (): string[] =>
  receivers
    .at(-1)!
    .spans()
    .filter(({ parentSpanId }) => parentSpanId === '')
    .map(({ traceId }) => traceId);

/** Until nothing waits and each run has settled: between the last line and that, there is a moment when nothing waits. */
async function isBack(runs: number): Promise<void> {
  await until(() => {
    passes(20 * SECOND);
    return !waits() && roots().length >= runs;
  });
}

it('a backend that is UNAVAILABLE for half an hour and cannot be reached for 42 minutes has each span and each line once', async () => {
  receivers[0]!.refuse(status.UNAVAILABLE, 30 * SECOND);
  await away(0, 5);
  await until(() => settled.some((one) => one.outcome === 'retry' && one.afterMs === 30 * SECOND));
  receivers[0]!.stop();
  await away(5, 7);
  expect(now - BEGAN).toBe(72 * MINUTE);
  receivers.push(await startOtlpReceiver(Number(new URL(receivers[0]!.endpoint).port)));
  await isBack(12);

  const [, back] = receivers;
  const spans = back!.spans();
  expect(roots().toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => uidOf(n).replaceAll('-', '')).toSorted());
  expect(new Set(spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`)).size).toBe(spans.length);
  const lines = back!.logs().map(({ traceId, eventName, body }) => `${traceId} ${eventName} ${String(body)}`);
  expect(new Set(lines).size).toBe(lines.length);
  for (let n = 0; n < 12; n++) {
    const own = lines.filter((line) => line.startsWith(uidOf(n).replaceAll('-', '')));
    for (const name of ['run.started', 'container.terminated', 'run.ended', 'run.settled'])
      expect(own.filter((line) => line.includes(`.${name} `))).toHaveLength(1);
  }
  expect([receivers[0]!.spans(), receivers[0]!.logs()]).toEqual([[], []]);
  const counts = bridge.reader.receiptCounts().map(({ destination, reason, count }) => [destination, reason, count]);
  expect(counts).toEqual([[TO, 'delivered', lines.length + 12]]);
});

it('a backend that takes a part of an export is not sent the rest again, and the receipts say how much it refused', async () => {
  receivers[0]!.refusePart(1, 'too old');
  runOf(0);
  passes(20 * SECOND);
  await isBack(1);
  const lines = receivers[0]!.logs().map(({ eventName, body }) => `${eventName} ${String(body)}`);
  expect(lines.length).toBeGreaterThan(3);
  expect(new Set(lines).size).toBe(lines.length);
  const spans = receivers[0]!.spans().map(({ spanId }) => spanId);
  expect(new Set(spans).size).toBe(spans.length);
  const { delivered = 0, bad_request: refused = 0 } = Object.fromEntries(
    bridge.reader.receiptCounts().map(({ reason, count }) => [reason, count]),
  );
  expect(delivered + refused).toBe(lines.length + 1);
  expect(refused).toBeLessThan(lines.length);
});
