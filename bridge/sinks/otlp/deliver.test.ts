import { status } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventFacts } from '../../../test/fixtures/facts.ts';
import type { OtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { systemClock } from '../../lib/clock.ts';
import type { ClaimedIntent, Deliverer, Delivery, JournalEntry } from '../sink.ts';
import type { RunStory } from '../story.ts';
import { otlpSchema } from './config.ts';
import { createOtlpDeliverer } from './deliver.ts';
import { at, container, log, rollout, run, story, TRACE_ID, transition } from './fixtures.ts';

const { signal } = new AbortController();
let receiver: OtlpReceiver;
let deliverers: Deliverer[] = [];
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(() => {
  for (const deliverer of deliverers.splice(0)) deliverer.close?.();
  receiver.stop();
});

function deliverer(settings: object = {}): Deliverer {
  const config = otlpSchema.parse({ endpoint: receiver.endpoint, ...settings });
  const made = createOtlpDeliverer('x', config, { clock: systemClock, clusterName: 'production', pageUrl: undefined });
  deliverers.push(made);
  return made;
}

function intent(of: RunStory = story()): ClaimedIntent {
  const { uid } = of.run;
  const row = { key: `${uid}/settled`, lane: uid, payload: { run: uid }, limits: [], transitionId: `${uid}/settled` };
  return { ...row, story: of, seq: 1, destination: 'opentelemetry/x', attempt: 1 };
}

async function deliver(to: Deliverer, of?: RunStory): Promise<Delivery> {
  return (await to.deliver([intent(of)], signal))[0]!;
}

describe('a trace', () => {
  it('arrives whole: one root, and every parent is there', async () => {
    expect(await deliver(deliverer())).toEqual({ outcome: 'delivered' });
    const spans = receiver.spans();
    const ids = new Set(spans.map(({ spanId }) => spanId));
    expect(spans.filter(({ parentSpanId }) => parentSpanId === '').map(({ name, kind }) => [name, kind])).toEqual([
      ['RUN report', 2],
    ]);
    expect(spans.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId))).toEqual([]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
    expect(spans.find(({ name }) => name === 'attempt')?.resource).toMatchObject({
      'k8s.pod.uid': 'a',
      'k8s.node.name': 'node-a',
      'service.name': 'report',
    });
  });

  it('has attributes of the configuration, but not over those of its object', async () => {
    await deliver(deliverer({ resourceAttributes: { 'deployment.environment.name': 'prod' } }));
    expect(receiver.spans()[0]?.resource).toMatchObject({
      'deployment.environment.name': 'prod',
      'k8s.namespace.name': 'shop',
    });
  });

  it('arrives whole when it is larger than what a receiver takes at once', async () => {
    const message = '長'.repeat(2000);
    const containers = Array.from({ length: 1000 }, (_, instance) =>
      container('a', { instance, exitCode: 1, message }),
    );
    expect(await deliver(deliverer(), story({ containers }))).toEqual({ outcome: 'delivered' });
    expect(receiver.spans().filter(({ name }) => name === 'container')).toHaveLength(1000);
    expect(new Set(receiver.spans().map(({ spanId }) => spanId)).size).toBe(receiver.spans().length);
  });

  it('of a run that is not stored any more is given up with that reason', async () => {
    const { story: _gone, ...without } = intent();
    expect(await deliverer().deliver([without], signal)).toEqual([{ outcome: 'drop', reason: 'run_removed' }]);
  });
});

describe('an answer', () => {
  it('that refuses a part is a drop that says how much and why, never a delivery', async () => {
    receiver.refusePart(2, 'span too old');
    expect(await deliver(deliverer())).toMatchObject({
      outcome: 'drop',
      reason: 'bad_request',
      detail: expect.stringMatching(/^2 of 13 refused: span too old$/),
    });
  });

  it('that only warns is a delivery with the warning', async () => {
    receiver.refusePart(0, 'use gzip');
    expect(await deliver(deliverer())).toEqual({ outcome: 'delivered', detail: 'the receiver warns: use gzip' });
  });

  it.each([
    [status.UNAVAILABLE, undefined, { outcome: 'retry', reason: 'server_error', afterMs: 10_000 }],
    [status.UNAVAILABLE, 7_000, { outcome: 'retry', reason: 'server_error', afterMs: 7_000 }],
    [status.RESOURCE_EXHAUSTED, 5_000, { outcome: 'retry', reason: 'rate_limited', afterMs: 5_000 }],
    [status.RESOURCE_EXHAUSTED, undefined, { outcome: 'drop', reason: 'bad_request' }],
    [status.UNAUTHENTICATED, undefined, { outcome: 'retry', reason: 'unauthorized' }],
    [status.PERMISSION_DENIED, undefined, { outcome: 'retry', reason: 'forbidden' }],
    [status.ABORTED, undefined, { outcome: 'retry', reason: 'server_error' }],
    [status.INVALID_ARGUMENT, undefined, { outcome: 'drop', reason: 'bad_request' }],
    [status.INTERNAL, undefined, { outcome: 'drop', reason: 'bad_request' }],
    [status.UNIMPLEMENTED, undefined, { outcome: 'drop', reason: 'bad_request' }],
  ] as const)('of gRPC code %i with RetryInfo %s is handled as OTLP says', async (code, retryMs, expected) => {
    receiver.refuse(code, retryMs);
    expect(await deliver(deliverer())).toMatchObject(expected);
  });

  it('that nobody gives makes everything wait', async () => {
    const to = deliverer();
    receiver.stop();
    expect(await deliver(to)).toMatchObject({
      outcome: 'retry',
      reason: 'connection_failed',
      hold: { key: 'opentelemetry/x' },
    });
  });
});

describe('the journal', () => {
  const entries: JournalEntry[] = [
    { seq: 1, transition: transition(), run: run() },
    {
      seq: 2,
      transition: transition({ id: 'e', kind: 'run.ended', at: at(100), outcome: 'failed', text: 'failed' }),
      run: run(),
    },
    { seq: 3, event: eventFacts({ reason: 'BackOff', type: 'Warning', lastAt: at(9) }), run: undefined },
  ];

  it('arrives as log events with the times of what happened, under the trace of the run', async () => {
    expect(await deliverer().journal!.export(entries, signal)).toEqual({ outcome: 'delivered' });
    expect(
      receiver
        .logs()
        .map(({ eventName, severity, at: time, traceId }) => [eventName, severity, Number(time / 1_000_000n), traceId]),
    ).toEqual([
      ['lifecycle_bridge.run.started', 'INFO', at(2), TRACE_ID],
      ['lifecycle_bridge.run.ended', 'ERROR', at(100), TRACE_ID],
      ['lifecycle_bridge.kubernetes.event', 'WARN', at(9), ''],
    ]);
  });

  it('leaves out what is in a namespace that is not selected', async () => {
    expect(await deliverer({ excludeNamespaces: ['shop'] }).journal!.export(entries.slice(0, 2), signal)).toEqual({
      outcome: 'delivered',
    });
    expect(receiver.logs()).toEqual([]);
  });

  it('is off with logs: false', () => {
    expect(deliverer({ logs: false }).journal).toBeUndefined();
  });
});

it('with podLogs: true the lines of the tails arrive under the span of their container', async () => {
  await deliver(deliverer({ podLogs: true }), story({ logs: [log('a', 'one\ntwo\n')] }));
  const span = receiver.spans().find(({ name, resource }) => name === 'container' && resource['k8s.pod.uid'] === 'a');
  expect(
    receiver.logs().map(({ body, spanId, attributes }) => [body, spanId, attributes['lifecycle_bridge.log.line']]),
  ).toEqual([
    ['one', span?.spanId, 0],
    ['two', span?.spanId, 1],
  ]);
});

it('with podLogs: true very long lines arrive too', async () => {
  const line = '長'.repeat(300_000);
  const logs = ['a', 'b', 'c', 'd', 'e', 'f'].map((pod) => log(pod, `${line}\n${line}`));
  expect(await deliver(deliverer({ podLogs: true }), story({ logs }))).toEqual({ outcome: 'delivered' });
  expect(receiver.logs().map(({ body }) => body === line)).toEqual(Array(12).fill(true));
});

describe('headers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-headers-'));
  afterEach(() => rmSync(join(folder, 'headers'), { force: true }));
  const file = (content: string): string => {
    writeFileSync(join(folder, 'headers'), content);
    return join(folder, 'headers');
  };

  it('of a file are sent, and those of the file as it is later', async () => {
    const to = deliverer({ headersFile: file('# token\nAuthorization: Bearer one\nx-scope: a\n') });
    await deliver(to);
    expect(receiver.headers()).toMatchObject({ authorization: 'Bearer one', 'x-scope': 'a' });
    file('Authorization: Bearer two');
    await deliver(to);
    expect(receiver.headers()).toMatchObject({ authorization: 'Bearer two' });
  });

  it('that are none are an error with the line and without what is in it', () => {
    expect(() => deliverer({ headersFile: file('x: y\nsecret-without-colon') })).toThrow(/line 2: not a header/);
    expect(() => deliverer({ headersFile: file('x: y\nsecret-without-colon') })).not.toThrow(/secret/);
  });

  it.each(['Connection: close', 'te: trailers', 'grpc-timeout: 1S', 'Transfer-Encoding: chunked'])(
    'that a call over HTTP/2 cannot have, such as %s, are an error',
    (header) => {
      expect(() => deliverer({ headers: `x: y\n${header}` })).toThrow(/^headers, line 2: gRPC itself decides on/);
    },
  );

  it('in a file that breaks later make the exports wait', async () => {
    const to = deliverer({ headersFile: file('x: y') });
    file('half');
    expect(await deliver(to)).toMatchObject({ outcome: 'retry', detail: expect.stringContaining('line 1') });
  });
});

describe('a milestone of a rollout', () => {
  const going = rollout();
  const milestone = (of: RunStory): ClaimedIntent => ({
    ...intent(of),
    payload: { run: 'u', milestone: { after: null, upTo: at(3_600) } },
  });

  it('sends what is over, without a root, and no log', async () => {
    const to = deliverer({ podLogs: true });
    const [delivery] = await to.deliver([milestone(story({ run: going, logs: [log('a', 'line\n')] }))], signal);
    expect(delivery).toEqual({ outcome: 'delivered' });
    expect(receiver.spans().length).toBeGreaterThan(0);
    expect(receiver.spans().filter(({ parentSpanId }) => parentSpanId === '')).toEqual([]);
    expect(receiver.logs()).toEqual([]);
  });

  it('sends nothing where nothing is over, and nothing when the rollout has ended meanwhile', async () => {
    const nothing = story({ run: going, attempts: [], containers: [] });
    const ended = story({ run: { ...going, status: 'succeeded', endedAt: at(100) } });
    const deliveries = await deliverer().deliver([milestone(nothing), milestone(ended)], signal);
    expect(deliveries.map(({ outcome }) => outcome)).toEqual(['delivered', 'delivered']);
    expect(receiver.spans()).toEqual([]);
  });
});
