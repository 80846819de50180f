import { afterEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../../test/fixtures/facts.ts';
import { at, CRON, JOB_UID, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import type { NamespaceFacts } from '../../kubernetes/kinds/namespace.ts';
import { rules } from './cron-fixtures.ts';
import { createSentryPlanner, READS } from './plan.ts';

let bridge: TestEngine;
afterEach(() => bridge.close());

function open(settings: object, hasApi = false): void {
  const planners = [createSentryPlanner('default', rules({ shipLogs: false, ...settings }, hasApi))];
  bridge = new TestEngine({ planners, cutoff: T0 - 1, engine: { kinds: withNeeded(READS.kinds) } });
}

/** A run of the CronJob whose pod fails. */
function fail(n = 0): void {
  const uid = `${JOB_UID.slice(0, -1)}${n + 1}`;
  const conditions = [condition('Failed', T0 + 9_000, { reason: 'BackoffLimitExceeded' })];
  const job = { uid, name: `report-${n}`, scheduledAt: T0 + n };
  const owner = { group: 'batch', kind: 'Job', name: job.name, uid };
  const containers = [container({ terminated: terminated(1, T0 + 8_000) })];
  const records = [
    CRON,
    scheduled(job),
    podFacts({ uid: `pod-${n}`, name: `${job.name}-a`, owner, phase: 'Failed', startAt: T0, containers }),
    scheduled({ ...job, conditions, failed: 1, resourceVersion: '120' }),
  ];
  bridge.take(
    records.map((facts) => at(facts, T0 + 30_000)),
    T0 + 30_000,
  );
  bridge.live(T0 + 60_000, T0 + 240_000);
}

/** What was decided on each edge of a run, and why. */
function decisions(n = 0): Record<string, string> {
  const run = bridge.reader.run(`${JOB_UID.slice(0, -1)}${n + 1}`)!;
  const kinds = new Map(run.transitions.map(({ id, kind }) => [id, kind]));
  return Object.fromEntries(
    run.decisions.map(({ transitionId, verdict, reason }) => [
      kinds.get(transitionId) ?? transitionId,
      reason === undefined ? verdict : `${verdict}: ${reason}`,
    ]),
  );
}

const CHECK_INS = { 'run.started': 'planned', 'run.ended': 'planned', 'container.terminated': 'dropped: part_of_run' };

describe('a failed run whose check-ins are sent', () => {
  it('says that its issue is sent too', () => {
    open({});
    fail();
    expect(decisions()).toMatchObject({ ...CHECK_INS, 'run.settled': 'planned' });
  });

  it.each([
    ['a filter', { filter: { reasons: ['BackoffLimitExceeded'] } }, 'filtered_out'],
    ['a level', { levels: { run: 'none' } }, 'level_none'],
  ])('says that %s leaves out its issue', (_what, issues, reason) => {
    open({ issues });
    fail();
    expect(decisions()).toMatchObject({ ...CHECK_INS, 'run.settled': `dropped: ${reason}` });
  });

  it('says that its issue is over the storm budget', () => {
    open({ storm: { events: 1 } });
    fail(0);
    fail(1);
    expect(decisions(0)).toMatchObject({ ...CHECK_INS, 'run.settled': 'planned' });
    expect(decisions(1)).toMatchObject({ ...CHECK_INS, 'run.settled': 'dropped: storm' });
  });
});

describe('the monitor of a CronJob whose namespace names a DSN', () => {
  const DSN = { 'k8s.sentry.io/dsn': 'https://0123abcd@o1.ingest.sentry.io/9' };
  let version = 500;
  const namespace = (annotations: Record<string, string>): NamespaceFacts => ({
    ...CRON,
    kind: 'Namespace',
    uid: 'ns-1',
    name: CRON.namespace,
    resourceVersion: String(version++),
    annotations,
  });
  const row = () =>
    bridge.reader.desired({ limit: 10 }).items.map(({ wanted }) => (wanted as { status?: string }).status);

  it('is not wanted in the project of the destination, as soon as that is seen, and again when it is taken back', () => {
    open({}, true);
    bridge.take([seen(CRON)]);
    expect(row()).toEqual([undefined]);
    bridge.take([seen(namespace(DSN))]);
    expect(row()).toEqual(['disabled']);
    bridge.take([seen(namespace({}))]);
    expect(row()).toEqual(['active']);
    bridge.take([seen(namespace({ 'k8s.sentry.io/dsn': '' }))]);
    expect(row()).toEqual(['active']);
    expect(bridge.takePlannerFailures()).toEqual([]);
  });

  it('is never wanted there where the namespace was seen first', () => {
    open({}, true);
    bridge.take([seen(namespace(DSN)), seen(CRON)]);
    expect(row()).toEqual([]);
  });
});
