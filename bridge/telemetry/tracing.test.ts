import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import { traced } from '../lib/traced.ts';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';
import { configSpan, tracedDeliverer, tracedIngest } from './own-spans.ts';
import type { Tracing } from './tracing.ts';
import { startTracing } from './tracing.ts';

const { signal } = new AbortController();
const RETRY: Delivery = { outcome: 'retry', reason: 'timeout', detail: 'the token s3cret was refused' };

let receiver: OtlpReceiver;
let tracing: Tracing;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  tracing = startTracing(receiver.endpoint, 1, 'production');
});
afterEach(async () => {
  await tracing.stop();
  receiver.stop();
});

/** What arrived, by name. */
async function arrived() {
  await tracing.stop();
  return receiver.spans().map(({ name, kind, attributes, status: { code, message } }) => {
    return { name, kind, attributes, failed: code === 2, message };
  });
}

function deliverer(deliveries: Delivery[]): ConfiguredDeliverer {
  return {
    destination: 'toy/one',
    dryRun: false,
    batch: { intents: 2, desired: 1 },
    convergeLimits: [],
    deliver: () => Promise.resolve(deliveries),
    converge: () => Promise.resolve(deliveries),
    journal: { batch: 3, export: () => Promise.resolve(deliveries[0]!) },
  };
}

describe('spans of the bridge itself', () => {
  it('are those of an export, with its size and outcome', async () => {
    const ingest = tracedIngest(() => Promise.resolve({ result: 'committed' }), tracing.tracer);
    await ingest(new Uint8Array(7), 0);
    const refusing = { result: 'unavailable', error: 'e', retryAfterMs: 1 } as const;
    await tracedIngest(() => Promise.resolve(refusing), tracing.tracer)(new Uint8Array(8), 0);
    const of = (size: number, outcome: string) => ({
      'lifecycle_bridge.request.size': size,
      'lifecycle_bridge.request.outcome': outcome,
    });
    expect(await arrived()).toMatchObject([
      { name: 'ingest', kind: 2, attributes: of(7, 'committed'), failed: false },
      { name: 'ingest', attributes: { ...of(8, 'unavailable'), 'error.type': 'unavailable' }, failed: true },
    ]);
    expect(receiver.spans()[0]).toMatchObject({
      parentSpanId: '',
      resource: { 'service.name': 'lifecycle-bridge', 'k8s.cluster.name': 'production' },
    });
  });

  it('are those of requests to a destination, with the reason of the first that failed and no word of a vendor', async () => {
    const sink = tracedDeliverer(deliverer([{ outcome: 'delivered' }, RETRY]), tracing.tracer);
    expect(await sink.deliver([], signal)).toEqual([{ outcome: 'delivered' }, RETRY]);
    expect(await sink.journal!.export([], signal)).toEqual({ outcome: 'delivered' });
    const of = (channel: string, outcome: string) => ({
      'lifecycle_bridge.destination': 'toy/one',
      'lifecycle_bridge.delivery.channel': channel,
      'lifecycle_bridge.delivery.outcome': outcome,
    });
    const spans = await arrived();
    expect(spans).toMatchObject([
      { name: 'deliver', kind: 3, attributes: { ...of('intent', 'retry'), 'error.type': 'timeout' }, failed: true },
      { name: 'deliver', attributes: of('journal', 'delivered'), failed: false },
    ]);
    expect(JSON.stringify(spans)).not.toContain('s3cret');
  });

  it('say of what throws only its kind, and let it through', async () => {
    const work = () => Promise.reject(new TypeError('s3cret'));
    await expect(traced(tracing.tracer, 'list', {}, work, () => ({ attributes: {} }))).rejects.toThrow('s3cret');
    configSpan(tracing.tracer, 1e12, 1e12 + 5, 3);
    const spans = await arrived();
    expect(spans).toMatchObject([
      { name: 'list', attributes: { 'error.type': 'TypeError' }, failed: true },
      { name: 'load configuration', attributes: { 'lifecycle_bridge.config.destinations': 3 } },
    ]);
    expect(JSON.stringify(spans)).not.toContain('s3cret');
    expect(receiver.spans()[1]!.end - receiver.spans()[1]!.start).toBe(5_000_000n);
  });

  it('are not sent where none are sampled, and a receiver that refuses them delays no end', async () => {
    const none = startTracing(receiver.endpoint, 0, 'production');
    configSpan(none.tracer, 1, 2, 0);
    await none.stop();
    expect(receiver.spans()).toEqual([]);
    receiver.refuse(status.UNAVAILABLE);
    configSpan(tracing.tracer, 1, 2, 0);
    await expect(tracing.stop()).resolves.toBeUndefined();
  });
});

it('without a tracer everything is as it was', async () => {
  const [ingest, sink] = [() => Promise.resolve({ result: 'committed' } as const), deliverer([])];
  expect(tracedIngest(ingest, undefined)).toBe(ingest);
  expect(tracedDeliverer(sink, undefined)).toBe(sink);
  const work = Promise.resolve(1);
  expect(
    traced(
      undefined,
      'x',
      {},
      () => work,
      () => ({ attributes: {} }),
    ),
  ).toBe(work);
});
