import { afterEach, describe, expect, it } from 'vitest';
import { condition, T0 } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import { at, complete, CRON, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import type { Facts, JobFacts } from '../../kubernetes/observation.ts';
import { replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { failed, pod, web, WEB } from './agent-fixtures.ts';
import { rules } from './cron-fixtures.ts';
import { payloadSchema } from './payload.ts';
import { createSentryPlanner, READS } from './plan.ts';

/** DSNs of annotations and check-ins of sentry-kubernetes (research/sentry.md §8b); ⚠ marks what it got wrong. */

const DSN = (project: number) => `https://0123abcd@o1.ingest.sentry.io/${project}`;
const annotated = (project: number | string) => {
  return { annotations: { 'k8s.sentry.io/dsn': typeof project === 'number' ? DSN(project) : project } };
};

let stage: SentryStage | undefined;
let bridge: TestEngine | undefined;
afterEach(() => {
  stage?.close();
  bridge?.close();
  stage = bridge = undefined;
});

describe('the DSN of the end of a container', () => {
  const containers = [failed('c', 1)];
  const owners = [web, { ...web, uid: 'rs-b', name: 'web-b' }];

  it.each<[string, readonly Facts[], object, number | undefined]>([
    [
      'V29 of pod and ReplicaSet is that of the pod',
      [replicaSet('a', annotated(2)), pod({ owner: web, containers, ...annotated(1) })],
      {},
      1,
    ],
    ['of the ReplicaSet alone is that', [replicaSet('a', annotated(2)), pod({ owner: web, containers })], {}, 2],
    [
      'of the Deployment alone is that',
      [{ ...WEB[0]!, ...annotated(3) }, WEB[1]!, pod({ owner: web, containers })],
      {},
      3,
    ],
    [
      'V30 of the ReplicaSet does not count under an empty one',
      [replicaSet('a', annotated(2)), pod({ owner: web, containers, ...annotated('') })],
      {},
      undefined,
    ],
    [
      'V31 ⚠ of a second owner is that',
      [replicaSet('a'), replicaSet('b', annotated(4)), pod({ owner: web, owners, containers })],
      {},
      4,
    ],
    [
      'V31 ⚠ of a second owner without any controller is that',
      [replicaSet('b', annotated(4)), pod({ owners, containers })],
      {},
      4,
    ],
    [
      'V32 does not count where none does',
      [pod({ containers, ...annotated(1) })],
      { customDsns: { enabled: false } },
      undefined,
    ],
    ['V33 that is not one does not count', [pod({ containers, ...annotated('garbage') })], {}, undefined],
  ])('%s', (_what, facts, settings, project) => {
    stage = new SentryStage({}, settings);
    stage.see(...facts);
    const [sent] = stage.bridge.reader.deliveries({ limit: 10 }).items;
    expect(payloadSchema.parse(sent!.payload)).toHaveProperty(
      'target',
      project === undefined ? {} : { dsn: DSN(project) },
    );
  });
});

describe('the check-ins of a Job', () => {
  const idle: Partial<JobFacts> = { startAt: undefined };
  const started = scheduled({ active: 1, resourceVersion: '111' });
  const done = complete({ active: 0, succeeded: 1 });
  const criteria = complete({
    conditions: [condition('SuccessCriteriaMet', T0 + 9_000), condition('Complete', T0 + 9_000)],
  });
  const failing = scheduled({ failed: 1, resourceVersion: '115' });
  const over = scheduled({ failed: 1, conditions: [condition('Failed', T0 + 9_000)], resourceVersion: '120' });

  it.each<[string, readonly Facts[], readonly string[]]>([
    ['V34 a new one that comes twice', [scheduled(idle), scheduled(idle), scheduled()], ['in_progress']],
    ['V35 then it is active', [scheduled(), started], ['in_progress']],
    ['V36 then it is complete', [scheduled(), started, done], ['in_progress', 'ok']],
    [
      'V37 ⚠ and comes again, and is deleted',
      [scheduled(), done, done, { ...done, resourceVersion: '130', deletionAt: T0 + 20_000 }],
      ['in_progress', 'ok'],
    ],
    ['V38 ⚠ with SuccessCriteriaMet before Complete', [scheduled(), criteria], ['in_progress', 'ok']],
    ['V39 fails: only with its condition', [scheduled(), failing], ['in_progress']],
    ['V39 fails: with its condition', [scheduled(), failing, over], ['in_progress', 'error']],
    ['V41 ⚠ was active when it was first seen', [started, done], ['in_progress', 'ok']],
  ])('%s', (_what, facts, statuses) => {
    const planners = [createSentryPlanner('default', rules({ shipLogs: false, issues: { enabled: false } }))];
    bridge = new TestEngine({ planners, cutoff: T0 - 1, engine: { kinds: withNeeded(READS.kinds) } });
    bridge.take([at(CRON, T0)], T0 + 1_000);
    for (const one of facts) bridge.take([at(one, T0 + 30_000)], T0 + 30_000);
    bridge.live(T0 + 31_000, T0 + 60_000);
    const sent = bridge.reader.deliveries({ limit: 10 }).items.toReversed();
    const checkIns = sent
      .map(({ payload }) => payloadSchema.parse(payload))
      .flatMap((one) => (one.kind === 'check_in' ? [one.checkIn] : []));
    expect(checkIns.map(({ status }) => status)).toEqual(statuses);
    expect(new Set(checkIns.map(({ id }) => id)).size).toBe(1);
  });
});
