import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { podFacts } from '../../../test/fixtures/facts.ts';
import { played } from '../../../test/fixtures/played.ts';
import type { PlannedEvent } from '../../../test/fixtures/sentry-stage.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import { eventSchema } from '../../../test/vendors/sentry-rules.ts';
import type { TestEngine } from '../../ingest/test-engine.ts';
import { sentrySchema } from './config.ts';
import { about, bare } from './issue-fixtures.ts';
import { sentry } from './module.ts';
import type { SentryPayload } from './payload.ts';
import { payloadSchema } from './payload.ts';

const MINUTE = 60_000;
const DSN = 'https://examplekey@o1.ingest.sentry.io/42';
/** What the samples name in their annotations; undefined: nothing, so the DSN of the destination. */
const [A, B] = ['https://a@o1.ingest.sentry.io/1001', 'https://b@o1.ingest.sentry.io/1002'];

/** What a person looks at in an event. */
interface Seen {
  readonly workload: string;
  readonly dsn: string | undefined;
  readonly event: PlannedEvent;
  readonly tails: { readonly container?: string; readonly instance?: number } | undefined;
}

let bridge: TestEngine;
let sent: readonly SentryPayload[];
let all: readonly Seen[];

/** As a real node did it and its Collector sent it: test/fixtures/recordings, samples. */
beforeAll(async () => {
  const settings = sentrySchema.parse({ dsn: DSN });
  const world = { clusterId: 'cluster-1', clusterName: 'production', pageUrl: undefined, siblings: 1 };
  // Logs, which no destination reads here, are waited for 15 minutes.
  bridge = await played('samples', sentry.planner('default', settings, world), 20 * MINUTE);
  const { items } = bridge.reader.deliveries({ limit: 1_000 });
  sent = items.toReversed().map(({ payload }) => payloadSchema.parse(payload));
  all = sent.flatMap((payload) => {
    if (payload.kind !== 'event') return [];
    const { item, target, tails } = payload;
    eventSchema.parse(item);
    const event = item as unknown as PlannedEvent;
    const workload = `${event.tags['workload_kind']} ${event.tags['workload_name']}`;
    return [{ workload, dsn: 'dsn' in target ? target.dsn : undefined, event, tails }];
  });
});
afterAll(() => bridge.close());

const of = (workload: string): readonly Seen[] => all.filter((one) => one.workload === workload);

/** `level: first line of the message`, each with how often it came, in the order of the first. */
function lines(workload: string): string[] {
  const counts = new Map<string, number>();
  for (const { event } of of(workload)) {
    const line = `${event.level}: ${event.message.split('\n')[0]!.replaceAll(/\([0-9a-f-]{36}\)|(?<=-)[a-z0-9]{5}(?=_)/g, '…')}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => (count === 1 ? line : `${count} × ${line}`));
}

/** One issue at one DSN: every event of the workload has this fingerprint, behind cluster and namespace. */
function expectIssue(workload: string, dsn: string | undefined, ...fingerprint: readonly string[]): void {
  const seen = of(workload);
  expect(new Set(seen.map((one) => one.dsn))).toEqual(new Set([dsn]));
  const whole = ['cluster-1', 'shop', ...workload.split(' '), ...fingerprint];
  expect([...new Set(seen.map(({ event }) => String(event.fingerprint)))]).toEqual([String(whole)]);
}

/** Which logs are attached: of each end of a container its own. */
const tails = (workload: string): unknown[] =>
  of(workload).flatMap(({ tails: wanted }) =>
    wanted?.instance === undefined ? [] : [`${wanted.container} ${wanted.instance}`],
  );

/** The statuses of each check-in of a CronJob, in the order of the first; the DSNs they went to. */
function checkIns(cronJob: string): { readonly runs: string[]; readonly dsns: unknown[] } {
  const runs = new Map<string, string[]>();
  const dsns = new Set<unknown>();
  for (const payload of sent) {
    if (payload.kind !== 'check_in') continue;
    const { id, status, monitor } = payload.checkIn;
    if (!monitor?.slug.startsWith(`shop-${cronJob}-`)) continue;
    runs.set(id, [...(runs.get(id) ?? []), status]);
    dsns.add('dsn' in payload.target ? payload.target.dsn : undefined);
  }
  return { runs: [...runs.values()].map((statuses) => statuses.join(' → ')), dsns: [...dsns] };
}

const OK = 'in_progress → ok';
const FAILED = 'in_progress → error';

describe('the samples of sentry-kubernetes, as they were recorded', () => {
  it('pod-crashloop: six crashes, the loop and the Warning are one issue', () => {
    expect(lines('Pod pod-crashloop')).toEqual([
      '6 × error: exit code 127: container pod-crashloop of Pod pod-crashloop',
      'warning: BackOff: Back-off restarting failed container pod-crashloop in pod pod-crashloop_shop…',
      'error: CrashLoopBackOff: container pod-crashloop of Pod pod-crashloop',
    ]);
    expectIssue('Pod pod-crashloop', undefined, 'crash', 'pod-crashloop', 'exit code 127');
    expect(tails('Pod pod-crashloop')).toEqual([0, 1, 2, 3, 4, 5].map((instance) => `pod-crashloop ${instance}`));
  });

  it('pod-create-container-error: the wait and the steps of its Warning are one issue', () => {
    const workload = 'Pod pod-create-container-error';
    expect(lines(workload)).toEqual([
      'warning: Failed: Error: configmap "configmap-does-nont-exist" not found',
      'error: CreateContainerConfigError: container pod-create-container-error of Pod pod-create-container-error',
      'warning: Failed: Error: configmap "configmap-does-nont-exist" not found (10 times)',
    ]);
    expectIssue(workload, undefined, 'config', 'pod-create-container-error', '');
  });

  it('pod-invalid-image: one issue, whatever kubelet says of it, and another one in each try', () => {
    const pull = expect.stringMatching(
      /^warning: Failed: Failed to pull image "registry.example.com\/invalid-image-aaaaaa:1": /,
    );
    expect(lines('Pod pod-invalid-image')).toEqual([
      pull,
      'warning: Failed: Error: ErrImagePull',
      'warning: Failed: Error: ImagePullBackOff',
      'error: ErrImagePull: container pod-invalid-image of Pod pod-invalid-image',
      pull,
      pull,
      pull,
      'warning: Failed: Error: ImagePullBackOff (10 times)',
    ]);
    expectIssue('Pod pod-invalid-image', undefined, 'image', 'pod-invalid-image', '');
  });

  it('pod-not-enough-resources: the Warnings of the scheduler are one issue', () => {
    expect(lines('Pod pod-not-enough-resources')).toEqual([
      expect.stringMatching(
        /^2 × warning: FailedScheduling: 0\/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory\./,
      ),
    ]);
    expectIssue('Pod pod-not-enough-resources', undefined, 'unschedulable', '', '');
  });

  it('pod-outofmemory: fatal, to the DSN of its annotation', () => {
    const workload = 'Pod pod-outofmemory';
    expect(lines(workload)).toEqual([
      '6 × fatal: OOMKilled (exit code 137): container container-outofmemory of Pod pod-outofmemory',
      'warning: BackOff: Back-off restarting failed container container-outofmemory in pod pod-outofmemory_shop…',
      'fatal: CrashLoopBackOff: container container-outofmemory of Pod pod-outofmemory',
    ]);
    expectIssue(workload, A, 'oom', 'container-outofmemory', '');
    expect(tails(workload)).toHaveLength(6);
    const { event } = of(workload)[0]!;
    expect(event).toMatchObject({
      release: '1',
      environment: 'production',
      server_name: 'node1',
      transaction: 'shop/pod-outofmemory',
    });
    expect(event.breadcrumbs?.values.map(({ message }) => message)).toContain('Container started');
  });

  it('deployment-create-container-error: both pods and the rollout that fails are one issue, to the DSN of the Deployment', () => {
    const workload = 'Deployment deployment-create-container-error';
    expect(lines(workload)).toEqual([
      '2 × warning: Failed: Error: configmap "configmap-does-nont-exist" not found',
      'error: CreateContainerConfigError: container deployment-create-container-error of Deployment deployment-create-container-error',
      expect.stringMatching(
        /^error: Deployment deployment-create-container-error failed: .*CreateContainerConfigError.*ProgressDeadlineExceeded/,
      ),
      '2 × warning: Failed: Error: configmap "configmap-does-nont-exist" not found (10 times)',
    ]);
    expectIssue(workload, A, 'config', 'deployment-create-container-error', '');
  });

  it('replicaset-basic-error: the crashes of three pods are one issue, to the DSN of the ReplicaSet', () => {
    const workload = 'ReplicaSet replicaset-basic-error';
    expect(lines(workload)).toEqual([
      '18 × error: exit code 127: container hello of ReplicaSet replicaset-basic-error',
      '3 × warning: BackOff: Back-off restarting failed container hello in pod replicaset-basic-error-…_shop…',
      '3 × error: CrashLoopBackOff: container hello of ReplicaSet replicaset-basic-error',
    ]);
    expectIssue(workload, A, 'crash', 'hello', 'exit code 127');
    expect(tails(workload)).toHaveLength(18);
  });

  it('job-basic-error: one event for the Job with all its pods, and none more for BackoffLimitExceeded', () => {
    expect(lines('Job job-basic-error')).toEqual([
      'error: Job job-basic-error failed: container hello exited with 127 (Error) in all 4 attempts; BackoffLimitExceeded',
    ]);
    expectIssue('Job job-basic-error', A, 'crash', 'hello', 'exit code 127');
    expect(of('Job job-basic-error')[0]!.event.contexts['attempts']).toBeDefined();
    expect(of('Job job-basic-error')[0]!.event.contexts['monitor']).toBeUndefined();
  });

  it('cronjob-basic-error: each run is checked in and closed as failed, and is an event of one issue with its monitor', () => {
    const workload = 'CronJob cronjob-basic-error';
    // The last was deleted while it ran.
    expect(checkIns('cronjob-basic-error')).toEqual({ runs: [FAILED, FAILED, FAILED, FAILED], dsns: [A] });
    expect(lines(workload)).toEqual([
      '3 × error: CronJob cronjob-basic-error failed: container hello exited with 127 (Error) in all 3 attempts; BackoffLimitExceeded',
    ]);
    expectIssue(workload, A, 'crash', 'hello', 'exit code 127');
    for (const { event } of of(workload))
      expect(event.contexts['monitor']).toMatchObject({ slug: expect.stringMatching(/^shop-cronjob-basic-error-/) });
  });

  it('cronjob-basic-success and cronjob-late-success: check-ins, and no event', () => {
    expect(checkIns('cronjob-basic-success')).toEqual({ runs: [OK, OK, OK, OK], dsns: [A] });
    expect(checkIns('cronjob-late-success')).toEqual({ runs: [OK, OK, OK, FAILED], dsns: [B] });
    expect([of('CronJob cronjob-basic-success'), of('CronJob cronjob-late-success')]).toEqual([[], []]);
  });

  it('cronjob-late-maybe-error: a run that outlasts the next start is closed under its own id', () => {
    expect(checkIns('cronjob-late-maybe-error')).toEqual({ runs: [OK, FAILED, OK, FAILED], dsns: [B] });
    expect(lines('CronJob cronjob-late-maybe-error')).toEqual([
      'error: CronJob cronjob-late-maybe-error failed: container hello exited with 1 (Error); BackoffLimitExceeded',
    ]);
    expectIssue('CronJob cronjob-late-maybe-error', B, 'crash', 'hello', 'exit code 1');
  });

  it('cronjob-maybe-error: as its runs ended, to the DSN of the destination', () => {
    expect(checkIns('cronjob-maybe-error')).toEqual({ runs: [FAILED, OK, FAILED, OK], dsns: [undefined] });
    expect(lines('CronJob cronjob-maybe-error')).toEqual([
      '2 × error: CronJob cronjob-maybe-error failed: container hello exited with 1 (Error); BackoffLimitExceeded',
    ]);
    expectIssue('CronJob cronjob-maybe-error', undefined, 'crash', 'hello', 'exit code 1');
  });

  it('delete_test_pods.sh: that all is deleted at once makes no event, and nothing else happened', () => {
    expect(new Set(all.map(({ workload }) => workload)).size).toBe(11);
    expect(bridge.takePlannerFailures()).toEqual([]);
  });
});

describe('what the recording is too short for', () => {
  let stage: SentryStage;
  afterEach(() => stage.close());

  it('pod-not-enough-resources: the Warning at once, the wait when it is stuck, one issue', () => {
    stage = new SentryStage();
    const message = '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.';
    stage.see(bare('p', { phase: 'Pending', startAt: undefined, nodeName: undefined, unschedulable: message }));
    const regarding = about('Pod', 'p', podFacts().uid);
    stage.warn({ reason: 'FailedScheduling', message, regarding, component: 'default-scheduler' });
    stage.pass(15 * MINUTE);
    expect(stage.messages()).toEqual([`FailedScheduling: ${message}`, 'Unschedulable: Pod p']);
    expect(stage.groups()).toHaveLength(1);
  });
});
