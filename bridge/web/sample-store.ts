import { cronJobFacts } from '../../test/fixtures/facts.ts';
import type { Outcome, Run, RunStatus, Transition } from '../lifecycle/transition.ts';
import { refOf } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { Store } from '../store/store.ts';
import type { Tx } from '../store/tx.ts';

/** A store as a small cluster leaves it, for the tests of page, API and `explain`. */
export const DESTINATION = 'demo/default';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const CRON_JOBS = [
  ['shop', 'cart-cleanup', '*/15 * * * *'],
  ['shop', 'price-import', '0 * * * *'],
  ['billing', 'invoice-export', '30 2 * * *'],
  ['billing', 'dunning-letters-for-overdue-customers', '0 6 * * 1-5'],
  ['analytics', 'nightly-report', '0 3 * * *'],
] as const;

const OUTCOMES: Partial<Record<RunStatus, Outcome>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  replaced: 'replaced',
};

export interface SampleRun {
  readonly uid: string;
  readonly status: RunStatus;
  readonly cronJob: number;
  readonly startedAt: Instant;
}

/** A UID that ends with its number. */
export function sampleUid(number: number): string {
  return `5f0c9e1a-7d42-4b8e-9c31-${String(number).padStart(12, '0')}`;
}

/** Adds CronJobs, desired rows, `count` runs (the newest first in `STATES` order), deliveries and drops. */
export function fillSample(store: Store, now: Instant, count: number): void {
  store.cutoff(DESTINATION, now - 3600 * SECOND);
  store.transaction((tx) => CRON_JOBS.forEach((_, index) => addCronJob(tx, index, now)));
  acceptRows(store, now);
  for (let number = 0; number < count; number++) addRun(store, sampleRun(number, now), now);
  settle(store, now);
  store.transaction((tx) =>
    tx.quarantine.put({
      subject: 'record',
      reason: 'not_kubernetes',
      version: undefined,
      error: 'no Kubernetes object in the body',
      bytes: new Uint8Array(),
      at: now - 7 * MINUTE,
    }),
  );
}

const STATES: readonly RunStatus[] = ['running', 'failed', 'stuck', 'succeeded', 'succeeded', 'cancelled', 'succeeded'];

function sampleRun(number: number, now: Instant): SampleRun {
  const status = STATES[number] ?? (number % 9 === 0 ? 'failed' : 'succeeded');
  return { uid: sampleUid(number), status, cronJob: number % 5, startedAt: now - (number * 7 + 1) * MINUTE };
}

const cronJobUid = (index: number) => `c0ffee00-0000-4000-8000-00000000000${index}`;

function addCronJob(tx: Tx, index: number, now: Instant): void {
  const [namespace, name, schedule] = CRON_JOBS[index]!;
  const uid = cronJobUid(index);
  tx.objects.put({
    uid,
    kind: 'CronJob',
    namespace,
    name,
    ownerUid: undefined,
    version: '1',
    deleted: false,
    state: { facts: cronJobFacts({ uid, namespace, name, schedule }), deleted: false },
  });
  const claimant = { destination: DESTINATION, uid, createdAt: now - index, alive: true };
  const wanted = {
    key: uid,
    name: `${namespace}/${name}`,
    type: 'job',
    schedule,
    timezone: 'Europe/Berlin',
    tags: ['kubernetes'],
    ...(index === 3 && { paused: true }),
  };
  tx.desired.claim(claimant, [{ key: uid, wanted }], { retire: (last) => last }, now - 60 * MINUTE);
}

function acceptRows(store: Store, now: Instant): void {
  const rows = store.claimDesired(DESTINATION, 100, now - 59 * MINUTE);
  const refused: Delivery = { outcome: 'retry', reason: 'rate_limited', detail: 'asked to wait 30 s' };
  const settled = rows.map(({ key, wantedHash: sentHash }) => ({
    destination: DESTINATION,
    key,
    sentHash,
    ...(key === cronJobUid(4)
      ? { delivery: refused, delayMs: 3600 * SECOND }
      : { delivery: { outcome: 'delivered' } as const }),
  }));
  store.settleDesired(settled, now - 59 * MINUTE);
}

function addRun(store: Store, sample: SampleRun, now: Instant): void {
  const run = runOf(sample);
  const started = transition(run, 'run.started', sample.startedAt, 'started');
  const outcome = OUTCOMES[sample.status];
  store.transaction((tx) => {
    tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
    announce(tx, started, 'run', now);
    addPods(tx, run, sample);
    if (sample.status === 'stuck') tx.timeline.add(stuck(run, sample), now);
    if (outcome !== undefined && run.endedAt !== undefined)
      announce(tx, { ...transition(run, 'run.ended', run.endedAt, endText(run, outcome)), outcome }, outcome, now);
  });
}

function endText(run: Run, outcome: Outcome): string {
  return run.reason === undefined ? outcome : `${outcome}: ${run.reason}`;
}

function runOf({ uid, status, cronJob, startedAt }: SampleRun): Run {
  const [namespace, name] = CRON_JOBS[cronJob]!;
  const failed = status === 'failed';
  const minute = Math.floor(startedAt / MINUTE);
  return {
    uid,
    kind: 'Job',
    namespace,
    name: `${name}-${minute}`,
    runKey: `${cronJobUid(cronJob)}/${minute * MINUTE}`,
    ownerKind: 'CronJob',
    ownerName: name,
    ownerUid: cronJobUid(cronJob),
    status,
    createdAt: startedAt,
    scheduledAt: minute * MINUTE,
    startedAt,
    endedAt: OUTCOMES[status] === undefined ? undefined : startedAt + 42 * SECOND,
    reason: failed ? 'BackoffLimitExceeded' : status === 'stuck' ? 'ImagePullBackOff' : undefined,
    message: failed ? 'Job has reached the specified backoff limit' : undefined,
    deleted: status === 'cancelled',
  };
}

function transition(run: Run, kind: Transition['kind'], at: Instant, text: string): Transition {
  return { id: `${run.runKey}/${kind}/${at}`, kind, at, about: refOf(run), runUid: run.uid, text };
}

function stuck(run: Run, { startedAt }: SampleRun): Transition {
  const text = 'stuck: container worker waits with ImagePullBackOff';
  const message = 'Back-off pulling image "registry.example/shop/worker:3.14.1"';
  return { ...transition(run, 'run.stuck', startedAt + 20 * SECOND, text), message, reason: 'ImagePullBackOff' };
}

function addPods(tx: Tx, run: Run, { status, startedAt }: SampleRun): void {
  const codes = status === 'failed' ? [1, 137, 1] : status === 'succeeded' ? [0] : [undefined];
  codes.forEach((exitCode, index) => {
    const pod = { podUid: `${run.uid}-pod-${index}`, podName: `${run.name}-${'x7k2q'.slice(index)}${index}` };
    const at = startedAt + index * 12 * SECOND;
    const endedAt = exitCode === undefined ? undefined : at + 9 * SECOND;
    const reason = exitCode === 137 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    tx.runs.putAttempt(run.uid, {
      ...pod,
      nodeName: status === 'stuck' ? undefined : `node-${index + 1}.example.internal`,
      phase:
        exitCode === undefined ? (status === 'stuck' ? 'Pending' : 'Running') : exitCode === 0 ? 'Succeeded' : 'Failed',
      index: undefined,
      startedAt: at,
      endedAt,
      container: exitCode === undefined ? undefined : 'worker',
      exitCode,
      reason: exitCode === undefined ? undefined : reason,
      ...(status === 'stuck' && { waiting: { container: 'worker', reason: 'ImagePullBackOff', message: 'not found' } }),
    });
    const about = { kind: 'Pod', namespace: run.namespace, name: pod.podName, uid: pod.podUid } as const;
    tx.timeline.add({ ...transition(run, 'attempt.started', at, 'pod taken by its node'), about }, at);
    if (endedAt === undefined || exitCode === undefined) return;
    const text = `container worker: exited with ${exitCode} (${reason})`;
    const container = { name: 'worker', type: 'app', instance: 0, image: '', exitCode, reason } as const;
    const ended = { ...transition(run, 'container.terminated', endedAt, text), about, container, reason };
    tx.timeline.add(ended, endedAt);
  });
}

function announce(tx: Tx, edge: Transition, state: string, now: Instant): void {
  tx.timeline.add(edge, now);
  const early = edge.at < now - 60 * MINUTE;
  const dropped: Reason | undefined = early ? 'before_cutoff' : undefined;
  const decision = { transitionId: edge.id, destination: DESTINATION, detail: undefined, at: edge.at };
  tx.timeline.decide({ ...decision, verdict: early ? 'dropped' : 'planned', reason: dropped });
  if (early) return;
  const payload = { key: 'cart-cleanup', query: { state, series: edge.runUid ?? '', stamp: String(edge.at / 1000) } };
  tx.timeline.enqueue(DESTINATION, edge.id, { key: edge.id, lane: `run/${edge.runUid}`, payload, limits: [] }, edge.at);
}

/** Most deliveries succeed, one after an unknown outcome; one is refused for good, one is asked to wait. */
function settle(store: Store, now: Instant): void {
  for (let round = 0; round < 4; round++) {
    const claimed = store.claim(DESTINATION, 1000, now, [], false);
    const answers = claimed.map(({ seq, attempt }) => ({ seq, ...answer(seq, attempt) }));
    store.settle(answers, now - 20 * SECOND);
  }
}

function answer(seq: number, attempt: number): { delivery: Delivery; delayMs?: number } {
  if (seq % 13 === 1)
    return { delivery: { outcome: 'retry', reason: 'rate_limited', detail: 'Retry-After 60' }, delayMs: 60 * SECOND };
  if (seq % 7 === 2 && attempt === 1)
    return { delivery: { outcome: 'retry', reason: 'timeout', unknown: true }, delayMs: 0 };
  if (seq % 11 === 5) return { delivery: { outcome: 'drop', reason: 'bad_request', detail: '400: stamp is too old' } };
  return { delivery: { outcome: 'delivered' } };
}
