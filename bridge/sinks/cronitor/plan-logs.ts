import { z } from 'zod';
import type { RunLog } from '../../lifecycle/logs.ts';
import type { Transition } from '../../lifecycle/transition.ts';
import type { Limit, RunContext, Planned, Planner } from '../sink.ts';
import type { CronitorPlanConfig } from './config.ts';
import { pingLimits } from './ping.ts';
import { cronJobOf, readReported, targetOf, untakenReason } from './plan-target.ts';

/** Uploads share nothing with pings: not their limits, and at most half of the sends that are under way at once. */
export const UPLOAD_LIMIT: Limit = { key: 'logs', perSecond: 8 };

/** What a planned upload holds; the tails come with the claimed intent. */
export const uploadSchema = z.object({ upload: z.literal('logs'), key: z.string(), series: z.string() });

/** Whether the logs of a run's containers are sent, and so are worth reading. */
export function wantsLogs(
  { run, memo, ...context }: Parameters<NonNullable<Planner['wantsLogs']>>[0],
  config: CronitorPlanConfig,
): boolean {
  if (!config.shipLogs || run?.kind !== 'Job') return false;
  const cronJob = cronJobOf(context);
  if (cronJob === undefined) return false;
  return untakenReason(readReported(memo), run, cronJob, config) === undefined;
}

/**
 * The logs of a run, in a lane of their own: an upload of all tails, then the `logs` event with the end of them. When
 * the upload is given up, the event goes all the same.
 */
export function planLogs({ id, at }: Transition, context: RunContext, config: CronitorPlanConfig): Planned {
  const { run } = context;
  const cronJob = cronJobOf(context);
  if (!config.shipLogs || cronJob === undefined || run.kind !== 'Job') return null;
  const reported = readReported(context.memo);
  const untaken = untakenReason(reported, run, cronJob, config);
  if (untaken !== undefined) return { drop: untaken };
  const logs = context.logs();
  const drop = withoutText(logs);
  if (drop !== undefined) return drop;
  const { key, env } = targetOf(reported, cronJob, context.stickyKey, config);
  const series = run.uid;
  const host = lastNode(logs, context);
  const query = { state: 'logs', series, stamp: String(at / 1000), ...(host && { host }), ...(env && { env }) };
  const shared = { lane: `logs/${run.uid}`, waitsFor: key, story: run.uid };
  return {
    intents: [
      { ...shared, key: `${id}/upload`, payload: { upload: 'logs', key, series }, limits: [UPLOAD_LIMIT] },
      { ...shared, key: id, payload: { key, query }, limits: pingLimits(key, config.accounts) },
    ],
  };
}

/** Why there is nothing to send: what became of the last log. Undefined when there is a tail. */
function withoutText(logs: readonly RunLog[]): Planned | undefined {
  if (logs.some(({ outcome }) => outcome === 'kept')) return undefined;
  const { outcome = 'log_unavailable', detail } = logs.at(-1) ?? {};
  return outcome === 'kept' ? undefined : { drop: outcome, ...(detail !== undefined && { detail }) };
}

/** The node of the pod whose log is the last. */
function lastNode(logs: readonly RunLog[], context: RunContext): string | undefined {
  const last = logs.findLast(({ outcome }) => outcome === 'kept');
  return last && context.attempt(last.podUid)?.nodeName;
}
