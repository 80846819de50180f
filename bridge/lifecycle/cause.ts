import type { Instant } from '../lib/clock.ts';
import type { Attempt, Failure, Run, Wait } from './transition.ts';

/** Why a run failed, is stuck or was given up. */
export interface Cause {
  /** One sentence without a full stop, the same wherever the run is shown or reported. */
  readonly text: string;
  /** The pod whose own failure it was, or that was disrupted; its node is where it happened. */
  readonly culprit?: Attempt;
  /** Of the container that failed by itself. */
  readonly exitCode?: number;
}

/** How a Job failed, as its condition or a transition says it. */
interface Failed {
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** When that was decided, as far as it is known. */
  readonly at: Instant | undefined;
}

/** False for a run that has no cause, whatever became of its pods. */
export function hasCause({ status }: Run): boolean {
  return status === 'failed' || status === 'stuck' || status === 'cancelled' || status === 'never_started';
}

/** The cause of a run, from all that was seen of it; undefined for one that goes well, or whose ending is not known. */
export function causeOf(run: Run, attempts: readonly Attempt[]): Cause | undefined {
  const { status, reason, message, failsAt, endedAt } = run;
  if (status === 'failed') {
    const condition = run.kind === 'Pod' ? undefined : { reason, message };
    return failureCause({ reason: condition?.reason, message: condition?.message, at: failsAt ?? endedAt }, attempts);
  }
  if (status === 'stuck') return stuckCause(run, attempts);
  if (status === 'cancelled' && run.revision !== undefined && reason !== undefined)
    return { text: `cancelled: ${reason}` };
  if (status === 'cancelled') return { text: sentence('deleted while active', heldUp(attempts)) };
  if (status === 'never_started') return { text: sentence('deleted before it started', heldUp(attempts)) };
  return undefined;
}

/**
 * The cause of a failure: the container that failed by itself, else the pod that was disrupted, else what the pods waited
 * for; then the condition. Pods that were stopped with their Job are neither named nor counted.
 */
export function failureCause(failed: Failed, seen: readonly Attempt[]): Cause {
  const isDecided = failed.reason === 'DeadlineExceeded' || seen.some(failedFirst);
  const attempts = isDecided ? seen.map(asStopped) : seen;
  const named = namedCulprit(failed, attempts);
  const culprit = named?.culprit ?? findCulprit(failed, attempts);
  const what = named?.text ?? (culprit && attemptText(culprit, attempts));
  const count = attempts.filter(isFailed).length;
  const isCounted = count > 1 && (culprit === undefined || !isUniform(culprit, attempts));
  const detail = sentence(
    what ?? (culprit === undefined ? heldUp(attempts, failed) : ''),
    isCounted && `${count} pods failed`,
  );
  const exitCode = named?.exitCode ?? (culprit && exitCodeOf(culprit));
  return {
    text: sentence(detail, conditionText(failed, detail !== '')) || 'failed',
    ...(culprit !== undefined && { culprit }),
    ...(exitCode !== undefined && { exitCode }),
  };
}

/** Whether a pod failed, and not only once it was being deleted. */
export function failedFirst(attempt: Attempt): boolean {
  return isFailed(attempt) && attempt.failedLate !== true;
}

/** An attempt that failed late counts as stopped where the failure was decided without it. */
function asStopped(attempt: Attempt): Attempt {
  return attempt.failedLate === true ? { ...attempt, failed: 'stopped' } : attempt;
}

/** Whether a pod failed, itself or by a disruption, and is over. */
export function isFailed(attempt: Attempt): boolean {
  if (attempt.failed === undefined) return attempt.phase === 'Failed';
  const isOver = attempt.endedAt !== undefined || attempt.goneAt !== undefined || attempt.phase === 'Failed';
  return attempt.failed !== 'stopped' && isOver;
}

/** Rows of an older bridge do not have `failed`. */
function failureOf({ failed, phase, exitCode = 0, container }: Attempt): Failure | undefined {
  return failed ?? (phase === 'Failed' || (container !== undefined && exitCode !== 0) ? 'itself' : undefined);
}

/** Exit code of the container that failed by itself, in a pod that lives or has ended. */
export function exitCodeOf(attempt: Attempt): number | undefined {
  const failure = failureOf(attempt);
  return failure === 'itself' || failure === 'restarted' ? exitOf(attempt) : undefined;
}

function exitOf({ exitCode, container, reason }: Attempt): number | undefined {
  return container === undefined || (exitCode === 0 && reason !== 'OOMKilled') ? undefined : exitCode;
}

const RULE = /^Container (\S+) for pod (\S+)\/(\S+) failed with exit code (\d+) matching /i;
const RULE_OF_POD = /^Pod (\S+)\/(\S+) has condition \S+ matching /i;

/** A podFailurePolicy that fails the Job names pod and container in its message. */
function namedCulprit({ message = '' }: Failed, attempts: readonly Attempt[]): Partial<Cause> | undefined {
  const [, container, , podName, code] = RULE.exec(message) ?? [];
  const pod = podName ?? RULE_OF_POD.exec(message)?.[2];
  if (pod === undefined) return undefined;
  const culprit = attempts.find((attempt) => attempt.podName === pod);
  if (container === undefined) return culprit && { culprit };
  if (culprit?.container === container && String(culprit.exitCode) === code) {
    return { culprit, exitCode: Number(code), text: attemptText(culprit, attempts) };
  }
  return { ...(culprit && { culprit }), exitCode: Number(code), text: `container ${container} exited with ${code}` };
}

/**
 * The last pod that failed before the failure was decided; if all failed later, the first of them, since the later ones
 * decided nothing. A container that was started again and ran is not why a deadline passed.
 */
function findCulprit({ reason, at = Infinity }: Failed, attempts: readonly Attempt[]): Attempt | undefined {
  const kinds: readonly Failure[] =
    reason === 'DeadlineExceeded' ? ['itself', 'disrupted'] : ['itself', 'restarted', 'disrupted'];
  for (const kind of kinds) {
    const found = attempts.filter((attempt) => failureOf(attempt) === kind && explains(attempt));
    const ended = found.filter(({ endedAt }) => endedAt !== undefined);
    const before = kind === 'restarted' ? ended : ended.filter(({ endedAt = 0 }) => endedAt <= at);
    const culprit =
      latest(before) ?? found.findLast(({ endedAt }) => endedAt === undefined) ?? latest(ended.toReversed(), -1);
    if (culprit !== undefined) return culprit;
  }
  return undefined;
}

/** Whether an attempt explains a failure: one that only has the phase Failed does not. */
function explains(attempt: Attempt): boolean {
  return (
    exitOf(attempt) !== undefined ||
    (attempt.reason !== undefined && attempt.exitCode === undefined) ||
    attempt.failed === 'disrupted'
  );
}

/** The attempt that ended last (`order` -1: first); among equals the later one of the list. */
export function latest(attempts: readonly Attempt[], order = 1): Attempt | undefined {
  let found: Attempt | undefined;
  for (const attempt of attempts) {
    const { endedAt } = attempt;
    if (endedAt === undefined) continue;
    if (found?.endedAt === undefined || (endedAt - found.endedAt) * order >= 0) found = attempt;
  }
  return found;
}

function attemptText(attempt: Attempt, attempts: readonly Attempt[]): string {
  const { podName, reason, message } = attempt;
  const times = isUniform(attempt, attempts) ? inAll(attempts.length) : '';
  if (failureOf(attempt) !== 'disrupted') return `${endText(attempt)}${times}`;
  return `pod ${podName} ${attempt.phase === 'Failed' ? 'failed' : 'was stopped'}${times}${because({ reason, message })}`;
}

function endText({ podName, container, exitCode, reason, message }: Attempt): string {
  if (container === undefined) return `pod ${podName} failed${because({ reason, message })}`;
  if (reason === 'OOMKilled') return `container ${container} was OOMKilled (exit code ${exitCode})`;
  if (exitCode === undefined) return `container ${container} ended${because({ reason, message })}`;
  const isKilled = exitCode === 137 && (reason === undefined || reason === 'Error');
  const why = isKilled ? 'probably OOM or killed' : reason;
  return `container ${container} exited with ${exitCode}${why === undefined ? '' : ` (${why})`}${because({ message })}`;
}

/** True when all attempts of several failed alike. */
function isUniform(culprit: Attempt, attempts: readonly Attempt[]): boolean {
  const isAlike = ({ container, exitCode, reason }: Attempt): boolean =>
    container === culprit.container && exitCode === culprit.exitCode && reason === culprit.reason;
  return attempts.length > 1 && attempts.every((attempt) => isFailed(attempt) && isAlike(attempt));
}

function inAll(attempts: number): string {
  return attempts === 2 ? ' in both attempts' : ` in all ${attempts} attempts`;
}

/** What the pods waited for, else what stopped them: for runs in which no container failed. */
function heldUp(attempts: readonly Attempt[], failed?: Failed): string {
  const waited = attempts.findLast(({ waiting }) => waiting !== undefined);
  if (waited?.waiting !== undefined) return waitText(waited.waiting, false);
  const disrupted = attempts.findLast((attempt) => failureOf(attempt) === 'disrupted');
  if (disrupted !== undefined) return attemptText(disrupted, [disrupted]);
  const [only, ...others] = attempts;
  const isDeleted = only !== undefined && others.length === 0 && only.failed === 'stopped';
  if (failed === undefined || failed.reason === 'DeadlineExceeded' || !isDeleted) return '';
  return `pod ${only.podName} was deleted`;
}

/** In words, what a pod waits for, or (`isNow` false) waited for. */
export function waitText({ reason, message, container }: Wait, isNow: boolean): string {
  if (container !== undefined)
    return `container ${container} ${isNow ? 'waits' : 'waited'} with ${reason}${because({ message })}`;
  if (reason !== 'Unschedulable') return `the pod ${isNow ? 'gets' : 'got'} no node${because({ reason, message })}`;
  return `no node ${isNow ? 'takes' : 'took'} the pod${because({ message })}`;
}

function stuckCause({ reason, message }: Run, attempts: readonly Attempt[]): Cause {
  const stuck =
    attempts.findLast(({ waiting, endedAt }) => endedAt === undefined && waiting?.reason === reason) ??
    attempts.findLast(({ waiting, endedAt }) => endedAt === undefined && waiting !== undefined);
  const text = stuck?.waiting === undefined ? because({ reason, message }).slice(2) : waitText(stuck.waiting, true);
  const exitCode = stuck && exitCodeOf(stuck);
  if (stuck === undefined || exitCode === undefined) return { text };
  return { text: sentence(endText(stuck), text), culprit: stuck, exitCode };
}

/** Kubernetes' own words for what the reason says already. */
const PLAIN_MESSAGES: ReadonlySet<string | undefined> = new Set([
  'Job has reached the specified backoff limit',
  'Job was active longer than specified deadline',
  'Job has failed indexes',
  'Job has exceeded the specified maximal number of failed indexes',
]);

function conditionText({ reason, message }: Failed, isExplained: boolean): string {
  return reason !== undefined && isExplained && PLAIN_MESSAGES.has(message)
    ? reason
    : because({ reason, message }).slice(2);
}

/** `: reason: message`, as far as they are known and not the same. */
function because({
  reason,
  message,
}: {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}): string {
  const words = message?.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return `${reason ? `: ${reason}` : ''}${words && words !== reason ? `: ${words}` : ''}`;
}

function sentence(...parts: readonly (string | false)[]): string {
  return parts.filter(Boolean).join('; ');
}
