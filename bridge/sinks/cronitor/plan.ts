import { z } from 'zod';
import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Attempt, Run, Transition } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { Desired, DesiredContext, PlanContext, Planned, Planner } from '../sink.ts';
import { isInSelection } from '../selection.ts';
import type { CronitorPlanConfig } from './config.ts';
import { annotationProblems } from './annotations.ts';
import { environment, monitorKey, monitorPayload, selected } from './payload.ts';
import { shorten } from './shorten.ts';

/** Cronitor's published limits: per monitor, and per address that pings it. */
const MONITOR_PER_SECOND = 5;
const ADDRESS_PER_SECOND = 50;
const MAX_MESSAGE = 2000;

/** What a planned ping holds; the deliverer adds host and key. */
export const pingSchema = z.object({ key: z.string(), query: z.record(z.string(), z.string()) });

/** Limit key of everything that one destination pings: Cronitor counts per calling address. */
export const ADDRESS_LIMIT = 'address';

/** Limit key of the pings of one monitor. */
export const monitorLimit = (key: string): string => `monitor/${key}`;

/** The pure half of `cronitor/<name>`: monitors from CronJobs, pings from the runs of their Jobs. */
export function createCronitorPlanner(name: string, config: CronitorPlanConfig): Planner {
  return {
    destination: `cronitor/${name}`,
    plan: (transition, context) => planPing(transition, context, config),
    planDesired: (cronJob, context) => planMonitor(cronJob, context, config),
    problems: (cronJob) => (isInSelection(cronJob, config) ? annotationProblems(cronJob) : []),
    retire: (wanted) => (isObject(wanted) ? { ...wanted, paused: true } : wanted),
    // The claim may be older than the pause, which another CronJob on this key asked for.
    adopt: (wanted, previous) => (isObject(wanted) && mentionsPause(previous) ? { paused: false, ...wanted } : wanted),
  };
}

function planMonitor(cronJob: CronJobFacts, context: DesiredContext, config: CronitorPlanConfig): Desired[] {
  if (!selected(cronJob, config)) return [];
  const { key, sticky } = monitorKey(cronJob, context.stickyKey, config);
  const payload = monitorPayload(cronJob, key, config);
  const paused = pausedField(cronJob, context.previous(key));
  return [{ key, wanted: { ...payload, ...paused }, sticky }];
}

/** `paused` is sent only from the first pause of ours on: what a person paused at the vendor stays paused. */
function pausedField(cronJob: CronJobFacts, previous: Json | undefined): { paused?: boolean } {
  if (cronJob.suspend) return { paused: true };
  return mentionsPause(previous) ? { paused: false } : {};
}

function mentionsPause(wanted: Json | undefined): boolean {
  return isObject(wanted) && 'paused' in wanted;
}

function planPing(transition: Transition, context: PlanContext, config: CronitorPlanConfig): Planned {
  const { run, cronJob } = context;
  if (transition.outcome === 'never_started' && cronJob !== undefined) return { drop: 'never_started' };
  const state = pingState(transition);
  if (cronJob === undefined || run.kind !== 'Job' || state === undefined) return null;
  const started = readMemo(context.memo);
  // A run whose start was announced is closed even if its CronJob was excluded meanwhile: it would stay "running".
  if (started === undefined && !selected(cronJob, config)) return { drop: 'not_selected' };
  const key = started?.key ?? monitorKey(cronJob, context.stickyKey, config).key;
  const env = started === undefined ? environment(cronJob, config) : started.env;
  const { attempts } = context;
  const query = {
    state,
    series: run.uid,
    stamp: String(transition.at / 1000),
    ...optional('host', state === 'run' ? firstNode(attempts) : lastEnded(attempts)?.nodeName),
    ...optional('env', env),
    ...optional('message', state === 'fail' ? failMessage(transition, run, attempts) : undefined),
  };
  const intent = {
    key: transition.id,
    lane: `run/${run.uid}`,
    payload: { key, query },
    limits: [
      { key: monitorLimit(key), perSecond: MONITOR_PER_SECOND },
      { key: ADDRESS_LIMIT, perSecond: ADDRESS_PER_SECOND },
    ],
    waitsFor: key,
  };
  return { intents: [intent], memo: { key, ...optional('env', env) } };
}

function pingState({ kind, outcome }: Transition): 'run' | 'complete' | 'fail' | undefined {
  if (kind === 'run.started') return 'run';
  if (kind !== 'run.ended') return undefined;
  if (outcome === 'succeeded' || outcome === 'replaced') return 'complete';
  return outcome === 'failed' || outcome === 'cancelled' ? 'fail' : undefined;
}

/** Why it failed: the Job's condition, then the container whose end decided the last failed pod. */
function failMessage(transition: Transition, run: Run, attempts: readonly Attempt[]): string {
  if (transition.outcome === 'cancelled') return 'cancelled';
  const condition = [transition.reason ?? run.reason, transition.message ?? run.message].filter(Boolean).join(': ');
  const failed = lastEnded(attempts.filter(({ exitCode, container }) => container !== undefined && exitCode !== 0));
  const parts = [condition, failed === undefined ? '' : containerEnd(failed)].filter((part) => part !== '');
  return shorten(parts.join('; ') || 'failed', MAX_MESSAGE);
}

function containerEnd({ container, exitCode, reason }: Attempt): string {
  const code = exitCode === undefined ? 'ended' : `exited with ${exitCode}`;
  return `container ${container} ${code}${reason === undefined ? '' : ` (${reason})`}`;
}

function firstNode(attempts: readonly Attempt[]): string | undefined {
  return attempts.find(({ nodeName }) => nodeName !== undefined)?.nodeName;
}

/** The attempt that ended last; among equals the later one of the list. */
function lastEnded(attempts: readonly Attempt[]): Attempt | undefined {
  let last: Attempt | undefined;
  for (const attempt of attempts) {
    if (attempt.endedAt !== undefined && attempt.endedAt >= (last?.endedAt ?? -Infinity)) last = attempt;
  }
  return last;
}

/** What the start of a run used: later pings use it too, whatever the annotations say by then. */
function readMemo(memo: Json | undefined): { key: string; env: string | undefined } | undefined {
  if (!isObject(memo) || typeof memo['key'] !== 'string') return undefined;
  return { key: memo['key'], env: typeof memo['env'] === 'string' ? memo['env'] : undefined };
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
