import type { ContainerFacts, Facts, JobFacts, PodFacts } from '../../kubernetes/observation.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import { sha256Hex } from '../../lib/ids.ts';
import type { Json } from '../../lib/json.ts';
import { pageLink } from '../../lib/page-link.ts';
import { slugOfMonitor } from './monitor.ts';
import type { SentryRules } from './rules.ts';
import type { Subject } from './subject.ts';
import { cut, timeText } from './text.ts';

/** A context has 8 KiB at most; more of a text or a list is left out. */
const MAX_TEXT = 1_000;
const MAX_ATTEMPTS = 20;
const MAX_CONTAINERS = 12;
const MAX_LABELS = 20;

type Context = { [key: string]: Json };
export type Contexts = { [name: string]: Context };
type Values = Readonly<Record<string, Json | undefined>>;

/** What is known of the object, its owners and its run; without what is not known. */
export function contextsOf(
  transition: Transition,
  subject: Subject,
  { run, attempts }: { readonly run: Run | undefined; readonly attempts: readonly Attempt[] },
  rules: SentryRules,
): Contexts {
  const { chain, pod, cronJob } = subject;
  const contexts: Record<string, Values | undefined> = {
    kubernetes: kubernetesContext(subject, rules),
    event: eventContext(transition),
    container: containerContext(transition, pod),
    pod: pod && podContext(pod),
    ...Object.fromEntries(chain.filter(({ kind }) => kind !== 'Pod').map((facts) => [key(facts), ownerContext(facts)])),
    run: run && runContext(run, rules),
    attempts: attemptsContext(attempts),
    monitor: cronJob && { slug: slugOfMonitor(cronJob, rules.crons) },
    trace: run && traceContext(run),
  };
  if (cronJob !== undefined && rules.issues.fingerprints === 'compatible') contexts['Monitor'] = { Slug: cronJob.name };
  return Object.fromEntries(
    Object.entries(contexts).flatMap(([name, values]) => {
      const known = values === undefined ? {} : knownOf(values);
      return Object.keys(known).length === 0 ? [] : [[name, known]];
    }),
  );
}

const key = ({ kind }: Facts): string => kind.toLowerCase();

function knownOf(values: Values): Context {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      if (value === undefined || value === '') return [];
      return [[name, typeof value === 'string' ? cut(value, MAX_TEXT) : value]];
    }),
  );
}

function kubernetesContext({ about, workload }: Subject, { clusterName }: SentryRules): Values {
  const { kind, name, uid, namespace } = about;
  return {
    cluster: clusterName,
    namespace,
    object: `${kind} ${name}`,
    uid,
    workload: `${workload.kind} ${workload.name}`,
  };
}

function eventContext({ kind, said, reason, message, count, at }: Transition): Values | undefined {
  if (kind !== 'event.warned' || said === undefined) return undefined;
  const { type, component, instance, fieldPath, firstAt } = said;
  const source = { component, instance, field_path: fieldPath };
  return {
    event_type: type,
    reason,
    message,
    count,
    first_seen: timeText(firstAt),
    last_seen: timeText(at),
    ...source,
  };
}

function containerContext(
  { container: end, waiting, at, kind }: Transition,
  pod: PodFacts | undefined,
): Values | undefined {
  if (kind === 'container.terminated' && end !== undefined) {
    const { name, type, image, instance, exitCode, signal, reason, message, startedAt } = end;
    const times = { started_at: timeText(startedAt), finished_at: timeText(at) };
    // `type` is the vendor's own name for the kind of a context.
    return {
      name,
      container_type: type,
      image,
      restart_count: instance,
      exit_code: exitCode,
      signal,
      reason,
      message,
      ...times,
    };
  }
  const facts = pod?.containers.find(({ name }) => name === waiting);
  return facts && waitingContext(facts);
}

function waitingContext({ name, type, image, restartCount, waiting, lastTerminated }: ContainerFacts): Values {
  return {
    name,
    container_type: type,
    image,
    restart_count: restartCount,
    waiting: waiting?.reason,
    message: waiting?.message,
    last_exit_code: lastTerminated?.exitCode,
    last_reason: lastTerminated?.reason,
    last_finished_at: timeText(lastTerminated?.finishedAt),
  };
}

function podContext(pod: PodFacts): Values {
  const { name, uid, phase, reason, message, nodeName, restartPolicy, createdAt, startAt, deletionAt, containers } =
    pod;
  return {
    name,
    uid,
    phase,
    reason,
    message,
    node: nodeName,
    restart_policy: restartPolicy,
    created_at: timeText(createdAt),
    started_at: timeText(startAt),
    deletion_requested_at: timeText(deletionAt),
    disruption: pod.disruption?.reason,
    owner: pod.owner && `${pod.owner.kind} ${pod.owner.name}`,
    labels: labelsOf(pod),
    containers: containers.slice(0, MAX_CONTAINERS).map(containerState),
  };
}

function labelsOf({ labels }: Facts): { [label: string]: string } {
  return Object.fromEntries(Object.entries(labels).slice(0, MAX_LABELS));
}

/** One line: `main (busybox:1.36): waits with CrashLoopBackOff, 3 restarts`. */
function containerState({ name, image, waiting, runningSince, terminated, restartCount }: ContainerFacts): string {
  const ended = terminated && `exit code ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ''}`;
  const waits = waiting && `waits with ${waiting.reason}`;
  const state = ended ?? waits ?? (runningSince === undefined ? 'not started' : 'running');
  return cut(`${name} (${image}): ${state}${restartCount > 0 ? `, ${restartCount} restarts` : ''}`, 300);
}

function ownerContext(facts: Facts): Values {
  const { name, uid, createdAt } = facts;
  const known = { name, uid, created_at: timeText(createdAt), labels: labelsOf(facts) };
  if (facts.kind === 'Job') return { ...known, ...jobValues(facts) };
  if (facts.kind === 'CronJob') return { ...known, schedule: facts.schedule, time_zone: facts.timeZone };
  if (facts.kind === 'Deployment' || facts.kind === 'StatefulSet' || facts.kind === 'DaemonSet') {
    return { ...known, desired: facts.desired, updated: facts.updated, available: facts.available };
  }
  return known;
}

function jobValues({ backoffLimit, completions, parallelism, active, succeeded, failed }: JobFacts): Values {
  return { backoff_limit: backoffLimit, completions, parallelism, active, succeeded, failed };
}

function runContext(run: Run, { pageUrl }: SentryRules): Values {
  const { kind, name, uid, status, reason, message, scheduledAt, startedAt, endedAt, revision, failedPods } = run;
  return {
    run: `${kind} ${name}`,
    uid,
    status,
    reason,
    message,
    revision,
    failed_pods: failedPods,
    scheduled_at: timeText(scheduledAt),
    started_at: timeText(startedAt),
    ended_at: timeText(endedAt),
    page: pageLink(pageUrl, 'runs', uid),
  };
}

/** The pods of a run that failed, the last ones; each a line. */
function attemptsContext(attempts: readonly Attempt[]): Values | undefined {
  if (attempts.length === 0) return undefined;
  const shown = attempts.slice(-MAX_ATTEMPTS).map((attempt) => cut(attemptText(attempt), 300));
  return { count: attempts.length, pods: shown };
}

function attemptText({
  podName,
  nodeName,
  container,
  exitCode,
  reason,
  message,
  failed,
  phase,
  waiting,
}: Attempt): string {
  const end = exitCode === undefined ? undefined : `container ${container} exit code ${exitCode}`;
  const how = failed === 'itself' ? undefined : failed;
  const why = [end, reason, message, waiting && `waits with ${waiting.reason}`, how].filter(Boolean).join(', ');
  return `${podName}${nodeName === undefined ? '' : ` on ${nodeName}`}: ${why || phase}`;
}

/** The trace that check-ins and OpenTelemetry have of the run: so they are joined. */
function traceContext(run: Run): { trace_id: string; span_id: string } {
  return { trace_id: traceIdOf(run), span_id: sha256Hex(run.runKey).slice(0, 16) };
}
