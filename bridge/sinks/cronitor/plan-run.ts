import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Cause } from '../../lifecycle/cause.ts';
import { exitCodeOf, failureCause, isFailed, latest } from '../../lifecycle/cause.ts';
import type { Run, Transition } from '../../lifecycle/transition.ts';
import type { Reason } from '../../lib/reasons.ts';
import type { RunContext, Planned } from '../sink.ts';
import { setting } from './annotations.ts';
import type { CronitorPlanConfig } from './config.ts';
import { pingLimits } from './ping.ts';
import { cronJobOf, readReported, targetOf, untakenReason } from './plan-target.ts';
import type { Reported } from './plan-target.ts';
import { shorten } from './shorten.ts';

const MAX_MESSAGE = 2000;

/** What one account wants to hear, ready to be asked. */
export interface RunRules extends CronitorPlanConfig {
  readonly matchesPod: (podName: string) => boolean;
}

type State = 'run' | 'complete' | 'fail' | 'logs';

/**
 * What Cronitor hears of a run, all with the Job's UID as series:
 *
 *   run.started ───────────────────────────────────────▶ run
 *   attempt.started, if send-pod-start-event ──────────▶ run         (one more for each pod)
 *   run.stuck, if stuck: fail ─────────────────────────▶ fail        (once; of this run then only a success is sent)
 *   run.ended ── succeeded, replaced ──────────────────▶ complete    (or logs, if log-complete-event)
 *            ├── failed ───────────────────────────────▶ fail
 *            └── cancelled ────────────────────────────▶ fail        (or complete, by onCancelled)
 */
export function planRun(transition: Transition, context: RunContext, rules: RunRules): Planned {
  const { run } = context;
  const cronJob = cronJobOf(context);
  if (cronJob === undefined || run.kind !== 'Job') return unowned(transition, run);
  if (transition.outcome === 'never_started') return { drop: 'never_started' };
  const state = pingState(transition, cronJob, rules);
  if (state === undefined) return null;
  const reported = readReported(context.memo);
  const drop = untakenReason(reported, run, cronJob, rules) ?? dropReason(transition, state, run, rules, reported);
  if (drop !== undefined) return { drop };
  const { key, env } = targetOf(reported, cronJob, context.stickyKey, rules);
  const query = {
    state,
    series: run.uid,
    stamp: String(transition.at / 1000),
    ...optional('host', host(transition, context)),
    ...optional('env', env),
    ...optional('message', message(transition, state, context)),
    ...optional('metric', state === 'logs' ? undefined : duration(transition, run)),
    ...optional('status_code', statusCode(transition, state, context)),
  };
  const intent = {
    key: transition.id,
    lane: `run/${run.uid}`,
    payload: { key, query },
    limits: pingLimits(key, rules.accounts),
    waitsFor: key,
  };
  const failed = reported?.failed === true || transition.kind === 'run.stuck';
  return { intents: [intent], memo: { key, ...optional('env', env), ...(failed && { failed }) } };
}

/** Cronitor's monitors are CronJobs: of any other run there is one reason, with the edge that comes first. */
function unowned({ kind }: Transition, { ownedBy, manual }: Run): Planned {
  if (kind !== 'run.started' && kind !== 'run.ended') return null;
  const who = ownedBy === undefined ? undefined : `owned by ${ownedBy}`;
  const detail = who ?? (manual === true ? 'made by hand, and it names no CronJob as its owner' : undefined);
  return { drop: 'no_cronjob', once: true, ...(detail !== undefined && { detail }) };
}

function pingState({ kind, outcome }: Transition, cronJob: CronJobFacts, rules: RunRules): State | undefined {
  if (kind === 'run.started') return 'run';
  if (kind === 'attempt.started') return setting(cronJob, 'send-pod-start-event') === true ? 'run' : undefined;
  if (kind === 'run.stuck') return rules.stuck === 'fail' ? 'fail' : undefined;
  if (kind !== 'run.ended') return undefined;
  if (outcome === 'failed' || (outcome === 'cancelled' && rules.onCancelled !== 'complete')) return 'fail';
  // The workload itself completes the run later, under the same series.
  return setting(cronJob, 'log-complete-event') === true ? 'logs' : 'complete';
}

/** Why this is not sent of a run that is reported. */
function dropReason(
  { about, kind }: Transition,
  state: State,
  run: Run,
  rules: RunRules,
  reported: Reported | undefined,
): Reason | undefined {
  if (kind === 'attempt.started' || kind === 'run.stuck') {
    if (!rules.matchesPod(about.name)) return 'pod_filtered';
    if (run.endedAt !== undefined) return 'run_over';
  }
  return reported?.failed === true && (state === 'run' || state === 'fail') ? 'already_failed' : undefined;
}

/** Where it happened: of a run the first node, of its end that of the pod that decided it. */
function host(transition: Transition, context: RunContext): string | undefined {
  const { kind, about, outcome } = transition;
  if (about.kind === 'Pod') return context.attempt(about.uid)?.nodeName;
  const attempts = context.attempts();
  if (kind !== 'run.ended') return attempts.find(({ nodeName }) => nodeName !== undefined)?.nodeName;
  const last = latest(attempts)?.nodeName;
  if (outcome !== 'failed') return latest(attempts.filter(({ phase }) => phase === 'Succeeded'))?.nodeName ?? last;
  const { culprit, exitCode } = causeOfEnd(transition, context);
  // A pod that its Job's condition names, but that was not seen, was on no known node.
  return culprit === undefined ? (exitCode === undefined ? last : undefined) : culprit.nodeName;
}

function message(transition: Transition, state: State, context: RunContext): string | undefined {
  const { run } = context;
  const { kind, outcome, text, about } = transition;
  if (kind === 'attempt.started') return `Pod ${about.name} started`;
  if (kind === 'run.stuck')
    return shorten(joined([`Pod ${about.name} is ${text}`, transition.message], ': '), MAX_MESSAGE);
  if (state === 'logs') return `Job ${run.name} is completed with status complete`;
  if (outcome === 'cancelled') return 'cancelled';
  if (outcome === 'replaced') return text;
  if (state === 'fail') return shorten(causeOfEnd(transition, context).text, MAX_MESSAGE);
  if (state !== 'complete') return undefined;
  const failed = run.failedPods ?? context.attempts().filter(isFailed).length;
  return failed > 0 ? `succeeded after ${counted(failed)} had failed` : undefined;
}

/** Why a run failed, as its end shows it: what a pod adds later is not known yet. */
function causeOfEnd({ reason, message, at }: Transition, { run, attempts }: RunContext): Cause {
  const failed = { reason: reason ?? run.reason, message: message ?? run.message, at: run.failsAt ?? at };
  return failureCause(failed, attempts());
}

/** The exit code of the container that failed by itself; a run that was cancelled failed by no container. */
function statusCode(transition: Transition, state: State, context: RunContext): string | undefined {
  const { kind, outcome, about } = transition;
  if (state !== 'fail' || outcome === 'cancelled') return undefined;
  if (kind !== 'run.stuck') return causeOfEnd(transition, context).exitCode?.toString();
  const stuck = context.attempt(about.uid);
  return stuck && exitCodeOf(stuck)?.toString();
}

/**
 * Cronitor's metric, in seconds by the times of the object. None where one of the two was only concluded. Cronitor's
 * `count` is what a job processed: how many pods it took stands in the message.
 */
function duration({ kind, at, inferred, corrects }: Transition, { startedAt }: Run): string | undefined {
  if (kind !== 'run.ended' || startedAt === undefined || at < startedAt || inferred || corrects) return undefined;
  return `duration:${(at - startedAt) / 1000}`;
}

function counted(pods: number): string {
  return pods === 1 ? '1 pod' : `${pods} pods`;
}

function joined(parts: readonly (string | undefined)[], separator: string): string {
  return parts.filter(Boolean).join(separator);
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}
