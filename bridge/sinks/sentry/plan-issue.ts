import type { ContainerFacts } from '../../kubernetes/observation.ts';
import { causeOf } from '../../lifecycle/cause.ts';
import { terminationText } from '../../lifecycle/containers.ts';
import type { Attempt, ContainerEnd, Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned, RunContext } from '../sink.ts';
import { isOfRun } from '../sink.ts';
import { planReport } from './event-item.ts';
import type { Report } from './event-item.ts';
import type { Failure } from './failure.ts';
import { crash, failureOfAttempt, failureOfWait, stuckFailure } from './failure.ts';
import { levelKey } from './level.ts';
import { coveredEnd, podEndFailure } from './pod-end.ts';
import type { SentryRules } from './rules.ts';
import type { Subject } from './subject.ts';
import { subjectOf } from './subject.ts';
import { isSelected } from './target.ts';

/**
 * What issues are made of:
 *
 *   container.terminated ──▶ its failure, once per restart (of the pods of a Job only with `attempts`)
 *   attempt.ended ─────────▶ a pod that was evicted, refused, preempted, lost with its node, or ran out of time
 *   run.stuck ─────────────▶ what a pod or a run waits for
 *   run.settled ───────────▶ a Job or a rollout that failed, with all its pods
 */
export function issueHears({ issues }: SentryRules): readonly TransitionKind[] {
  return issues.enabled ? ['container.terminated', 'attempt.ended', 'run.stuck', 'run.settled'] : [];
}

/** Whether the tail of a container's log goes with an event: of one that failed by itself, alone or with its Job. */
export function wantsLogs(context: PlanContext, end: Transition, rules: SentryRules): boolean {
  if (!rules.issues.enabled || !rules.shipLogs || !isSelected(context, end.about.namespace, rules)) return false;
  const found = containerEnd(end, subjectOf(end.about, context), context, rules);
  return found !== null && (!('drop' in found) || found.drop === 'part_of_run');
}

type Found = Report | Extract<Planned, { readonly drop: unknown }> | null;

/** An issue from a failure that the status of an object shows. */
export function planIssue(transition: Transition, context: PlanContext, rules: SentryRules): Planned {
  const subject = subjectOf(transition.about, context);
  const found = find(transition, subject, context, rules);
  if (found === null || 'drop' in found) return found;
  return planReport(transition, subject, found, context, rules);
}

function find(transition: Transition, subject: Subject, context: PlanContext, rules: SentryRules): Found {
  const { kind } = transition;
  if (kind === 'container.terminated') return containerEnd(transition, subject, context, rules);
  if (kind === 'attempt.ended') return podEnd(transition, subject, context, rules);
  if (kind === 'run.stuck') return stuck(transition, subject, context);
  return kind === 'run.settled' && isOfRun(context) ? settled(transition, subject, context) : null;
}

const isOfJob = ({ run }: PlanContext): boolean => run?.kind === 'Job';

function containerEnd(transition: Transition, subject: Subject, context: PlanContext, rules: SentryRules): Found {
  const { container: end, at, about, message } = transition;
  if (end === undefined || (end.exitCode === 0 && end.reason !== 'OOMKilled')) return null;
  const covered = coveredEnd(end, subject);
  if (covered !== undefined) return { drop: covered };
  if (isOfJob(context) && !rules.issues.attempts) return { drop: 'part_of_run' };
  const failure = crash(end.name, end);
  return {
    watcher: 'pods',
    failure,
    levelKey: levelKey(failure.kind),
    at,
    title: lines(`${terminationText(ended(end), false)}: container ${end.name} of ${named(subject)}`, message),
    agentMessage: agentCrash(end),
    reason: end.reason,
    message: message ?? '',
    node: subject.pod?.nodeName,
    image: end.image,
    tails: { podUid: about.uid, container: end.name, instance: end.instance },
  };
}

function ended({ exitCode, reason, signal, message }: ContainerEnd): Parameters<typeof terminationText>[0] {
  return { exitCode, reason, signal, message, startedAt: undefined, finishedAt: undefined };
}

/** What sentry-kubernetes calls the end of a container. */
function agentCrash({ name, reason = '', message }: Pick<ContainerEnd, 'name' | 'reason' | 'message'>): string {
  return message ?? `${reason}: container ${JSON.stringify(name)}`;
}

function podEnd(transition: Transition, subject: Subject, context: PlanContext, rules: SentryRules): Found {
  const found = podEndFailure(transition, subject);
  if (found === null || 'drop' in found) return found;
  if (isOfJob(context) && !rules.issues.attempts) return { drop: 'part_of_run' };
  const { failure, reason, message } = found;
  return {
    watcher: 'pods',
    failure,
    levelKey: levelKey(failure.kind),
    at: transition.at,
    title: lines(`${reason}: pod of ${named(subject)}`, message),
    agentMessage: message ?? reason,
    reason,
    message: message ?? '',
    node: subject.pod?.nodeName,
    tails: { podUid: transition.about.uid },
  };
}

function stuck(transition: Transition, subject: Subject, context: PlanContext): Found {
  const { waiting, reason = 'Pending', message, text, at, about } = transition;
  const { pod } = subject;
  const failure = stuckFailure(transition, pod);
  const container = pod?.containers.find(({ name }) => name === waiting);
  const of = waiting === undefined ? '' : `container ${waiting} of `;
  return {
    watcher: about.kind === 'Pod' ? 'pods' : 'rollouts',
    failure,
    levelKey: levelKey(failure.kind),
    at,
    title: lines(`${reason}: ${of}${named(subject)}`, text, message),
    agentMessage: agentWait(failure, reason, message, container?.lastTerminated),
    reason,
    message: message ?? text,
    node: pod?.nodeName ?? (isOfRun(context) ? context.attempt(about.uid)?.nodeName : undefined),
    image: container?.image,
    exitCode: container?.lastTerminated?.exitCode,
    ...(failure.kind === 'crash' || failure.kind === 'oom'
      ? { tails: { podUid: about.uid, container: waiting ?? '' } }
      : {}),
  };
}

/** What sentry-kubernetes has from the Event that kubelet or the scheduler writes of such a wait, or from the crash. */
function agentWait(
  { kind, container = '' }: Failure,
  reason: string,
  message: string | undefined,
  last: { readonly reason: string | undefined; readonly message: string | undefined } | undefined,
): string {
  if ((kind === 'crash' || kind === 'oom') && last !== undefined) {
    const { reason: why = '', message: said } = last;
    return agentCrash({ name: container, reason: why, ...(said !== undefined && { message: said }) });
  }
  if (kind === 'image') return `Error: ${reason}`;
  return kind === 'config' && message !== undefined ? `Error: ${message}` : (message ?? reason);
}

/** One event of a whole run; a pod that is a run was reported by its end and those of its containers. */
function settled(transition: Transition, subject: Subject, context: RunContext): Found {
  const { run } = context;
  const { outcome, reason, message, at } = transition;
  if (outcome !== 'failed' || (run.kind === 'Pod' && reason !== 'OutcomeUnknown')) return null;
  const attempts = context.attempts();
  const cause = causeOf(run, attempts) ?? { text: message ?? reason ?? 'failed' };
  const culprit = 'culprit' in cause ? cause.culprit : undefined;
  const as = run.kind === 'Job' || run.kind === 'Pod' ? 'run' : 'rollout';
  const failure = runFailure(culprit, attempts) ?? { kind: as, detail: reason ?? 'failed' };
  const pod = culprit && context.facts(culprit.podUid);
  const container = pod?.kind === 'Pod' ? pod.containers.find(({ name }) => name === failure.container) : undefined;
  return {
    watcher: as === 'run' ? 'jobs' : 'rollouts',
    failure,
    levelKey: levelKey(failure.kind, as),
    at: run.endedAt ?? at,
    title: `${named(subject)} failed: ${cause.text}`,
    agentMessage: agentRun(failure, culprit, container) ?? message ?? run.message ?? reason ?? cause.text,
    reason: reason ?? run.reason,
    message: message ?? cause.text,
    node: culprit?.nodeName,
    exitCode: 'exitCode' in cause ? cause.exitCode : undefined,
    image: container?.image,
    culprit: pod,
    withAttempts: true,
    tails: culprit === undefined ? {} : { podUid: culprit.podUid },
  };
}

/** What sentry-kubernetes calls the end of the container that failed a Job. */
function agentRun(
  { container: name }: Failure,
  culprit: Attempt | undefined,
  container: ContainerFacts | undefined,
): string | undefined {
  if (culprit === undefined || name === undefined) return undefined;
  const { reason, message } = container?.terminated ?? container?.lastTerminated ?? { ...culprit, message: undefined };
  return agentCrash({ name, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) });
}

/** Why a run failed, if a pod of it says so: the container that did, or what they all waited for. */
function runFailure(culprit: Attempt | undefined, attempts: readonly Attempt[]): Failure | undefined {
  if (culprit !== undefined) return failureOfAttempt(culprit);
  const waited = attempts.findLast(({ waiting }) => waiting !== undefined);
  const failed = waited && failureOfAttempt(waited);
  return failed ?? (waited && failureOfWait(waited));
}

function named({ workload }: Subject): string {
  return `${workload.kind} ${workload.name}`;
}

/** Texts that say something new, each on a line of its own. */
function lines(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text, at) => text !== undefined && text !== '' && texts.indexOf(text) === at).join('\n');
}
