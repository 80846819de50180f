import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventFacts } from '../../test/fixtures/facts.ts';
import type { OtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import type { KubeApi } from '../cluster/api.ts';
import type { AuditStore } from '../cluster/audit-unit.ts';
import { auditUnit } from '../cluster/audit-unit.ts';
import { listed } from '../cluster/list.ts';
import { systemClock } from '../lib/clock.ts';
import type { TransitionKind } from '../lifecycle/transition.ts';
import { otlpSchema } from '../sinks/otlp/config.ts';
import { createOtlpDeliverer } from '../sinks/otlp/deliver.ts';
import { attempt, container, log, run, story, transition } from '../sinks/otlp/fixtures.ts';
import type { Delivery, JournalEntry } from '../sinks/sink.ts';
import type { RunStory } from '../sinks/story.ts';
import { createMetrics } from './metrics.ts';
import { labelName, prometheusName } from './names.ts';
import { configSpan, tracedDeliverer, tracedIngest } from './own-spans.ts';
import { eventGroup, groups, own, spanGroup, standard, wrongValues, wrongWith } from './testing/registry.ts';
import { useAll } from './testing/used-metrics.ts';
import { startTracing } from './tracing.ts';

/** Every kind of transition: the compiler asks for a new one here. */
const KINDS: Readonly<Record<TransitionKind, true>> = {
  'run.started': true,
  'run.ended': true,
  'run.suspended': true,
  'run.resumed': true,
  'run.stuck': true,
  'run.unstuck': true,
  'run.active': true,
  'run.progressing': true,
  'run.logs': true,
  'run.settled': true,
  'attempt.started': true,
  'attempt.ended': true,
  'container.terminated': true,
  'cronjob.missed': true,
  'cronjob.skipped': true,
  'event.warned': true, // an Event is an entry itself
};

let receiver: OtlpReceiver;
let answers: readonly Delivery[];
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  const config = otlpSchema.parse({ endpoint: receiver.endpoint, podLogs: true });
  const pageUrl = 'https://page.example';
  const deliverer = createOtlpDeliverer('x', config, { clock: systemClock, clusterName: 'c', pageUrl });
  const { signal } = new AbortController();
  const row = { key: 'k', lane: 'l', payload: {}, limits: [], transitionId: 't', seq: 1, destination: 'x', attempt: 1 };
  const intents = stories().map((one) => ({ ...row, story: one }));
  answers = [...(await deliverer.deliver(intents, signal)), await deliverer.journal!.export(entries(), signal)];
  deliverer.close?.();
  await ownSpans(receiver.endpoint);
});
afterAll(() => receiver.stop());

/** All spans of the bridge itself. */
async function ownSpans(endpoint: string): Promise<void> {
  const { tracer, stop } = startTracing(endpoint, 1, 'c');
  const { signal } = new AbortController();
  const delivery: Delivery = { outcome: 'retry', reason: 'timeout' };
  const deliver = () => Promise.resolve([delivery]);
  const sink = { destination: 'toy/one', dryRun: false, batch: { intents: 1, desired: 1 }, convergeLimits: [] };
  await tracedDeliverer({ ...sink, deliver, converge: deliver }, tracer).deliver([], signal);
  await tracedIngest(() => Promise.resolve({ result: 'committed' }), tracer)(new Uint8Array(1), 0);
  const store = { auditBegin: () => Promise.resolve({ known: true }) } as unknown as AuditStore;
  const api = { get: () => Promise.resolve({ kind: 'failed', error: 'away' }) } as unknown as KubeApi;
  await auditUnit({ api, store, clock: systemClock, signal, tracer }, listed('Job'), 'shop');
  configSpan(tracer, 1, 2, 3);
  await stop();
}

function stories(): RunStory[] {
  const types = ['app', 'init', 'sidecar', 'ephemeral'] as const;
  const containers = types.flatMap((type) => [
    container('a', { type, name: type, exitCode: 137, signal: 9, reason: 'OOMKilled', endedAt: 1e12 }),
    container('a', { type, name: type, instance: 1, startedAt: 1e12 + 9_000, endedAt: 2e12 }),
  ]);
  const regarding = { ...eventFacts().regarding, uid: 'a', fieldPath: 'spec.containers{app}' };
  const pulled = eventFacts({ reason: 'Pulled', message: 'pulled image "x" in 2s (2s including waiting).', regarding });
  return [
    story({ logs: [log('a', 'line\n')], leftOut: { attempts: 3, transitions: 0 } }),
    story({
      run: run({ status: 'failed', reason: 'BackoffLimitExceeded', manual: true }),
      containers,
      events: [pulled],
    }),
    story({
      run: run({ kind: 'Deployment', revision: 3, runKey: 'uid/3', previous: undefined } as object),
      transitions: [transition({ id: 'uid/3/stuck/image', kind: 'run.stuck', reason: 'ErrImagePull' })],
    }),
    story({ attempts: [attempt('a', { index: 2, failed: 'disrupted', phase: 'Failed', reason: 'Evicted' })] }),
    story({ previous: run({ uid: 'another' }) }),
  ];
}

function entries(): JournalEntry[] {
  const more = { outcome: 'failed', reason: 'Error', message: 'm', inferred: true } as const;
  const kinds = (Object.keys(KINDS) as TransitionKind[]).filter((kind) => kind !== 'event.warned');
  const transitions = kinds.map((kind, seq) => {
    const ended = kind === 'container.terminated' && { container: container('a') };
    return { seq, transition: transition({ kind, ...more, ...ended }), run: run() };
  });
  return [...transitions, { seq: 99, event: eventFacts({ component: 'kubelet', message: 'm' }), run: undefined }];
}

it('all of it is taken', () => {
  expect(answers.filter(({ outcome }) => outcome !== 'delivered')).toEqual([]);
});

describe('what is sent is in the registry', () => {
  it('each span, with its attributes, those that are required, and their types', () => {
    const names = new Set<string | undefined>();
    for (const { name, attributes } of receiver.spans()) {
      const group = spanGroup(name);
      names.add(group?.display_name ?? name);
      expect(wrongWith(group, name, attributes)).toEqual([]);
    }
    const all = groups.filter(({ type }) => type === 'span').map((group) => group.display_name);
    expect(names).toEqual(new Set(all));
  });

  it('each metric, with its type and its labels', async () => {
    const metrics = createMetrics({ version: '1.2.3', clock: systemClock });
    useAll(metrics, 1e12);
    const text = await metrics.text();
    await metrics.close();
    const known = new Map(
      groups.flatMap(({ metric_name: name, unit = '', ...group }) =>
        name === undefined ? [] : [[prometheusName({ name, unit }), group] as const],
      ),
    );
    const found = new Set<string>();
    for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      const family = type === 'counter' ? name.replace(/_total$/, '') : name;
      found.add(family);
      const group = known.get(family);
      expect([name, type]).toEqual([name, group?.instrument?.replace('updowncounter', 'gauge')]);
      const allowed = new Set(['le', ...(group?.attributes ?? []).map(({ ref = '' }) => labelName(ref))]);
      const labels = [...text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'))].flatMap(
        ([, all = '']) => all.match(/\w+(?==")/g) ?? [],
      );
      expect([name, labels.filter((label) => !allowed.has(label))]).toEqual([name, []]);
    }
    expect(found).toEqual(new Set(known.keys()));
  });

  it('each log event', () => {
    const events = receiver.logs().filter(({ eventName }) => eventName !== '');
    for (const { eventName, attributes } of events)
      expect(wrongWith(eventGroup(eventName), eventName, attributes)).toEqual([]);
    const named = groups.filter(({ type }) => type === 'event').map(({ name }) => name);
    expect(new Set(events.map(({ eventName }) => eventName))).toEqual(new Set(named));
  });

  it('each attribute of a link and of a line of a log', () => {
    const links = receiver.spans().flatMap((span) => span.links.map(({ attributes }) => attributes));
    const lines = receiver.logs().flatMap(({ eventName, attributes }) => (eventName === '' ? [attributes] : []));
    expect(links.length * lines.length).toBeGreaterThan(0);
    expect([...links, ...lines].flatMap(Object.keys).filter((key) => !own.has(key))).toEqual([]);
    expect([...links, ...lines].flatMap((attributes) => wrongValues('link or line', attributes))).toEqual([]);
  });

  it('each attribute of a resource is one of the semantic conventions', () => {
    const resources = [...receiver.spans(), ...receiver.logs()].map(({ resource }) => resource);
    expect([...new Set(resources.flatMap(Object.keys))].filter((key) => !standard.has(key))).toEqual([]);
    expect(resources.flatMap((resource) => wrongValues('resource', resource))).toEqual([]);
  });
});
