import { afterEach, describe, expect, it } from 'vitest';
import {
  condition,
  container,
  cronJobFacts,
  jobFacts,
  ownedBy,
  podFacts,
  T0,
  terminated,
} from '../../../test/fixtures/facts.ts';
import type { PlannedEvent } from '../../../test/fixtures/sentry-stage.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import type { Normalised } from '../../../test/relay/relay.ts';
import { normalise, pythonWithRelay } from '../../../test/relay/relay.ts';
import type { ContainerFacts, PodFacts } from '../../kubernetes/observation.ts';
import { deployment, progress, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { envelopeBytes } from './envelope.ts';
import { trimEvent } from './trim.ts';
import { at } from './issue-fixtures.ts';

const python = pythonWithRelay();
if ('missing' in python) process.stderr.write(`SKIPPED: what Sentry's normaliser says of events: ${python.missing}\n`);

const MINUTE = 60_000;
/** What people and programs write. */
const ODD = [
  'two\nlines\r\nand\ta tab',
  `x${'🎉'.slice(0, 1)} half a character`,
  'NUL \u0000 and escape \u001b[31mred',
  'z'.repeat(20_000),
  '{{ default }} %s {0} <b>&amp;</b>',
  '  ',
];

const WATCHERS = ['events', 'pods', 'jobs', 'rollouts'];

let stage: SentryStage;
afterEach(() => stage.close());

const pod = (n: number, changes: Partial<PodFacts>): PodFacts =>
  podFacts({
    uid: `pod-${n}`,
    name: `web-a-${n}`,
    owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' },
    phase: 'Running',
    startAt: at(1),
    nodeName: 'node-1',
    ...changes,
  });
const ended = (changes: object, reason = 'Error'): ContainerFacts =>
  container({
    terminated: { ...terminated(3, at(9), reason)!, ...changes },
    image: 'registry.example.com:5000/shop/web:1.2',
  });

function containers(): void {
  const set = replicaSet('a', { createdAt: at(1), available: 0 });
  stage.see(
    deployment({ generation: 1, observedGeneration: 0, labels: { 'app.kubernetes.io/version': '7.1/rc\n2' } }),
    set,
  );
  stage.see(deployment({ updated: 3, ready: 0, available: 0 }));
  for (const [n, message] of ODD.entries()) {
    stage.see(pod(n, { containers: [ended({ message, signal: 9 }, n === 0 ? 'OOMKilled' : 'Error')] }));
    stage.warn({
      uid: `e-${n}`,
      reason: n === 1 ? undefined : 'Odd',
      message,
      instance: 'n'.repeat(300),
      count: 10 ** n,
    });
  }
  const waits = ['CreateContainerConfigError', 'ImagePullBackOff', 'CrashLoopBackOff', 'RunContainerError'];
  for (const [n, reason] of waits.entries())
    stage.see(pod(20 + n, { containers: [container({ waiting: { reason, message: ODD[n] } })] }));
  stage.see(pod(30, { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' }));
  stage.see(pod(31, { phase: 'Pending', startAt: undefined, nodeName: undefined, unschedulable: '0/1 nodes' }));
  stage.see(deployment({ updated: 3, ready: 0, available: 0, conditions: [late()] }));
  stage.pass(11 * MINUTE);
}

const late = () => progress('ProgressDeadlineExceeded', 'web-a', 600, { status: 'False', message: 'timed out' });

function jobs(): void {
  const cron = cronJobFacts({ annotations: { 'k8s.sentry.io/environment': 'staging' }, schedule: '0 10 * * *' });
  const exceeded = condition('Failed', at(80), { reason: 'BackoffLimitExceeded', message: ODD[0]! });
  const job = jobFacts({ owner: ownedBy(cron), scheduledAt: T0, startAt: at(1), failed: 6 });
  stage.see(cron, job);
  const failure = (n: number) => ended({ message: ODD[n % ODD.length] });
  for (let n = 0; n < 6; n++)
    stage.see(
      podFacts({
        uid: `job-pod-${n}`,
        name: `report-1-${n}`,
        phase: 'Failed',
        startAt: at(n),
        containers: [failure(n)],
      }),
    );
  for (let n = 0; n < 12; n++) {
    const regarding = {
      group: 'batch',
      kind: 'Job',
      namespace: 'shop',
      name: job.name,
      uid: job.uid,
      fieldPath: undefined,
    };
    stage.warn({
      uid: `crumb-${n}`,
      type: 'Normal',
      reason: 'SuccessfulCreate',
      message: ODD[n % ODD.length]!,
      regarding,
    });
  }
  stage.see({ ...job, conditions: [exceeded] });
  stage.pass(2 * MINUTE);
}

/** As it stands in the envelope. */
function sent(event: PlannedEvent): Record<string, unknown> {
  const { event: item } = trimEvent({ ...event } as never);
  const bytes = envelopeBytes([{ header: { type: 'event' }, payload: item }], T0, event.event_id);
  return JSON.parse(Buffer.from(bytes).toString().split('\n')[2]!) as Record<string, unknown>;
}

/** What of an event Sentry has to keep as it was sent; it has the server as a tag. */
function essence(of: object): object {
  const { tags, ...event } = of as Readonly<Record<string, unknown>>;
  const { event_id, level, fingerprint, release, environment, transaction, timestamp, server_name: server } = event;
  const named = {
    ...(server !== undefined && { server_name: server }),
    ...Object.fromEntries(Object.entries(tags as object)),
  };
  return { event_id, level, fingerprint, release, environment, transaction, timestamp, tags: named };
}

describe("Sentry's own normaliser", () => {
  it.skipIf('missing' in python).each([
    ['stable', {}, WATCHERS],
    ['compatible', { tags: { team: 'a\nb', 'odd key/ü': 'c'.repeat(500) }, release: 'none' }, WATCHERS],
    ['stable', { storm: { events: 3, eventsOfOneIssue: 1 } }, ['pods', 'events', 'digest']],
  ])(
    'finds nothing wrong with any kind of event, whatever people write, and keeps it all (%s, %o)',
    (fingerprints, others, watchers) => {
      if ('missing' in python) return;
      stage = new SentryStage({ fingerprints, attempts: true }, others);
      containers();
      jobs();
      const planned = stage.events();
      const events = planned.map(sent);
      expect(new Set(planned.map(({ tags }) => tags['watcher_name'] ?? 'digest'))).toEqual(new Set(watchers));
      const kept = normalise(python, events, T0 + 60 * MINUTE).map((event): Normalised => {
        return { ...event, tags: Object.fromEntries(event.tags as [string, string][]) };
      });
      const wrong = kept.flatMap(({ errors, _meta, logentry }) =>
        (errors ?? _meta) ? [{ errors, _meta, logentry }] : [],
      );
      expect(wrong).toEqual([]);
      expect(kept.map(essence)).toEqual(events.map(essence));
      for (const [index, { contexts, breadcrumbs, logentry }] of kept.entries()) {
        const event = events[index]!;
        expect(contexts).toMatchObject(event['contexts'] as object);
        expect({ breadcrumbs }).toMatchObject({ breadcrumbs: event['breadcrumbs'] });
        expect(logentry).toEqual({ formatted: event['message'] });
      }
    },
    60_000,
  );
});
