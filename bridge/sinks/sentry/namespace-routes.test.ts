import { afterEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, T0, terminated } from '../../../test/fixtures/facts.ts';
import { at, complete, CRON, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import type { NamespaceFacts } from '../../kubernetes/kinds/namespace.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import type { Planner } from '../sink.ts';
import { WEB } from './agent-fixtures.ts';
import { rules } from './cron-fixtures.ts';
import { createSentryPlanner, READS } from './plan.ts';

const SELECTOR = { namespaceSelector: { matchLabels: { team: 'a' } } };
const ROUTES = { routes: [{ name: 'a', dsnFile: '/a', ...SELECTOR }] };

let bridge: TestEngine;
let now = T0;
afterEach(() => bridge.close());

function open(settings: object = ROUTES, hasApi = false): void {
  const planners = [createSentryPlanner('default', rules({ shipLogs: false, ...settings }, hasApi))];
  bridge = new TestEngine({ planners, cutoff: T0 - 1, engine: { kinds: withNeeded(READS.kinds) } });
  now = T0 + 60_000;
}

let version = 500;
const namespace = (labels: Record<string, string>): NamespaceFacts => ({
  ...CRON,
  kind: 'Namespace',
  uid: 'ns-1',
  name: CRON.namespace,
  resourceVersion: String(version++),
  annotations: {},
  labels,
});

const take = (...all: readonly Facts[]): void => {
  bridge.take(
    all.map((facts) => at(facts, now)),
    now,
  );
};

const pass = (ms: number): void => bridge.live(now, (now += ms));

/** What is to be sent, in its order: the check-in or the event, and the route that it takes. */
const sent = (): string[] =>
  bridge.reader
    .deliveries({ limit: 100 })
    .items.toReversed()
    .map(({ payload }) => {
      const { kind, target, checkIn } = payload as {
        kind: string;
        target: { route?: string };
        checkIn?: { status: string };
      };
      return `${checkIn?.status ?? kind} to ${target.route ?? 'the default'}`;
    });

const decisions = (): string[] => [...new Set(bridge.decisions())];

describe('a route by the labels of the namespace', () => {
  it('has the check-ins of a run whose namespace was seen', () => {
    open();
    take(namespace({ team: 'a' }), CRON, scheduled());
    take(complete());
    expect(sent()).toEqual(['in_progress to a', 'ok to a']);
  });

  it('does not have those of another namespace', () => {
    open();
    take(namespace({ team: 'b' }), CRON, scheduled());
    expect(sent()).toEqual(['in_progress to the default']);
  });

  it('has, in their order, those of a run that came before its namespace', () => {
    open();
    take(CRON, scheduled(), complete());
    expect(sent()).toEqual([]);
    expect(decisions()).toEqual(['waiting namespace_unknown']);
    pass(60_000);
    take(namespace({ team: 'a' }));
    expect(sent()).toEqual(['in_progress to a', 'ok to a']);
    expect(decisions()).toEqual(['planned']);
    pass(300_000);
    expect(sent()).toHaveLength(2);
  });

  it('gives way to the default after two minutes without the namespace, and the decision says so', () => {
    open();
    take(CRON, scheduled(), complete());
    pass(180_000);
    expect(sent()).toEqual(['in_progress to the default', 'ok to the default']);
    expect(decisions()).toEqual(['planned namespace_unseen']);
    take(namespace({ team: 'a' }));
    expect(sent()).toHaveLength(2);
  });

  it('has the issue of a pod that is seen after its namespace was deleted, and of one that came before it', () => {
    open();
    const failed = (n: number) =>
      podFacts({
        uid: `pod-${n}`,
        name: `pod-${n}`,
        owner: { group: 'apps', kind: 'StatefulSet', name: 'db', uid: 'db' },
        containers: [container({ terminated: terminated(1, T0 + 8_000) })],
      });
    take(failed(0));
    pass(30_000);
    expect(sent()).toEqual([]);
    take(namespace({ team: 'a' }));
    expect(sent()).toEqual(['event to a']);
    bridge.take([at(namespace({ team: 'a' }), now, true)], now);
    take(failed(1));
    expect(sent()).toEqual(['event to a', 'event to a']);
  });

  it('survives a restart while it waits', () => {
    open();
    take(CRON, scheduled({ conditions: [condition('Failed', T0 + 9_000)], failed: 0 }));
    bridge.restart(undefined, now);
    take(namespace({ team: 'a' }));
    expect(sent().slice(0, 2)).toEqual(['in_progress to a', 'error to a']);
  });

  const planner = () => createSentryPlanner('default', rules({ shipLogs: false, ...ROUTES }, false));
  const configure = (...planners: Planner[]): void => bridge.restart(planners, (now += 1_000));

  it('has those of a run whose namespace was seen, or given up, while its destination was not configured', () => {
    open();
    bridge.store.cutoff('sentry/default', T0 - 1);
    take(CRON, scheduled());
    configure();
    pass(180_000);
    take(namespace({ team: 'a' }), complete());
    expect([...decisions(), ...sent()]).toEqual(['waiting namespace_unknown']);
    configure(planner());
    expect(sent()).toEqual(['in_progress to a', 'ok to a']);
    expect(decisions()).toEqual(['planned']);
  });

  it('has those of a run that still waits for its namespace when its destination is back', () => {
    open();
    bridge.store.cutoff('sentry/default', T0 - 1);
    take(CRON, scheduled());
    configure();
    configure(planner());
    expect(decisions()).toEqual(['waiting namespace_unknown']);
    take(namespace({ team: 'a' }));
    expect(sent()).toEqual(['in_progress to a']);
    expect(decisions()).toEqual(['planned']);
  });
});

describe('the monitor of a CronJob', () => {
  it('is that of the default when the namespace does not come, so that its check-ins, which wait for it, are sent', () => {
    open(ROUTES, true);
    take(CRON, scheduled());
    pass(180_000);
    const [row] = bridge.store.claimDesired('sentry/default', 10, now);
    expect(row?.key).toMatch(/default/);
    const settled = { destination: 'sentry/default', key: row!.key, sentHash: row!.wantedHash };
    bridge.store.settleDesired([{ ...settled, delivery: { outcome: 'delivered' } }], now);
    expect(bridge.store.claim('sentry/default', 10, now, [], false)).toHaveLength(1);
  });

  it('is in the project of the route as soon as the namespace is seen, and moves with its labels', () => {
    open(ROUTES, true);
    const rows = () =>
      bridge.reader
        .desired({ limit: 10 })
        .items.map(
          ({ key, wanted }) => `${key.split('/').slice(1, -1).join('/')} ${(wanted as { status?: string }).status}`,
        )
        .toSorted();
    take(CRON);
    expect(rows()).toEqual([]);
    take(namespace({ team: 'a' }));
    expect(rows()).toEqual(['route/a undefined']);
    take(namespace({}));
    expect(rows()).toEqual(['default undefined', 'route/a disabled']);
  });
});

describe('a DSN annotation', () => {
  const dsn = 'https://0123abcd@o1.ingest.sentry.io/9';
  const shop = { ...namespace({}), annotations: { 'k8s.sentry.io/dsn': dsn } };
  const targets = () =>
    bridge.reader
      .deliveries({ limit: 100 })
      .items.map(({ payload }) => (payload as { target: { dsn?: string } }).target.dsn ?? 'the default');

  it('of the namespace counts for a run that came before it, where namespaces are seen', () => {
    open({});
    take({ ...namespace({}), uid: 'ns-other', name: 'other', namespace: 'other' }, CRON, scheduled());
    expect(targets()).toEqual([]);
    take(shop);
    expect(targets()).toEqual([dsn]);
  });

  it('of an owner that is not the controller counts for check-ins and monitor alike', () => {
    open({}, true);
    const [web] = WEB;
    const owner = { group: 'apps', kind: 'Deployment', name: web!.name, uid: web!.uid };
    const annotations = { 'k8s.sentry.io/dsn': dsn };
    take({ ...web!, annotations }, { ...CRON, owners: [owner] }, scheduled());
    expect(targets()).toEqual([dsn]);
    expect(bridge.reader.desired({ limit: 10 }).items).toEqual([]);
  });

  it('of the namespace is not waited for where none is seen, or where annotations do not count', () => {
    open({});
    take(CRON, scheduled());
    expect(targets()).toEqual(['the default']);
    bridge.close();
    open({ customDsns: { enabled: false } });
    take({ ...namespace({}), uid: 'ns-other', name: 'other', namespace: 'other' }, CRON, scheduled());
    expect(targets()).toEqual(['the default']);
  });
});

it.each([
  ['of no run', { group: 'apps', kind: 'StatefulSet', name: 'db', uid: 'db' }],
  ['of a Job', { group: 'batch', kind: 'Job', name: scheduled().name, uid: scheduled().uid }],
])(
  'the log of a failed container is wanted once the namespace is seen whose labels decide: of a pod %s',
  (_, owner) => {
    open({ ...SELECTOR, shipLogs: true, issues: { attempts: true } });
    take(CRON, scheduled());
    take(podFacts({ owner, containers: [container({ terminated: terminated(1, T0 + 8_000) })] }));
    expect(bridge.store.wantedLogs(10, now, [])).toEqual([]);
    take(namespace({ team: 'a' }));
    expect(bridge.store.wantedLogs(10, now, [])).toHaveLength(1);
  },
);

it('a destination by the labels of namespaces takes what is in those alone', () => {
  open(SELECTOR);
  take(namespace({ team: 'b' }), CRON, scheduled());
  expect(decisions()).toEqual(['dropped not_selected']);
  take(complete());
  expect(sent()).toEqual([]);
  take(namespace({ team: 'a' }), scheduled({ uid: 'other', name: 'other', scheduledAt: T0 + 60_000 }));
  expect(sent()).toEqual(['in_progress to the default']);
});

it('a destination by the labels of namespaces says of what it leaves out that the namespace did not come', () => {
  open(SELECTOR);
  take(CRON, scheduled(), complete());
  pass(180_000);
  expect(sent()).toEqual([]);
  const { decisions: all } = bridge.reader.run(scheduled().uid)!;
  expect(all.map(({ reason, detail }) => [reason, detail])).toEqual([['not_selected', 'namespace_unseen']]);
});
