import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import { isJsonObject } from '../../lib/json.ts';
import { isInSelection, selectsNamespaces } from '../selection.ts';
import type { Intent, PlanContext, Planned, Planner, Reads } from '../sink.ts';
import { cronHears, planCron } from './plan-cron.ts';
import { deployHears, planDeploy } from './plan-deploy.ts';
import { stormRules } from './plan-digest.ts';
import { eventHears, planEvent } from './plan-event.ts';
import { issueHears, planIssue, wantsLogs } from './plan-issue.ts';
import { adoptMonitor, cronProblems, planMonitor, retireMonitor } from './plan-monitor.ts';
import type { SentryPlanConfig } from './config.ts';
import type { SentryRules } from './rules.ts';
import { DSN_ANNOTATION, dsnProblems } from './target.ts';

export const READS: Reads = {
  kinds: new Set([
    'CronJob',
    'Job',
    'Pod',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'Namespace',
    'Node',
    'Event',
  ]),
  annotations: ['k8s.sentry.io/', `${DSN_ANNOTATION}@`],
  namespaceOf: new Set(['CronJob']),
};

/** Labels of a namespace decide by a setting; its annotation, if it has one. */
function readsOf(rules: SentryRules): Reads {
  if (selectsNamespaces(rules)) return { ...READS, needsNamespace: 'always' };
  return rules.customDsns.enabled ? { ...READS, needsNamespace: 'once_any_is_seen' } : READS;
}

type Plan = (transition: Transition, context: PlanContext, rules: SentryRules) => Planned;

interface Part {
  readonly hears: (rules: SentryRules) => readonly TransitionKind[];
  readonly plan: Plan;
}

/** What Sentry hears, by what becomes of it; each part has a memo of its own. */
const PARTS = {
  issue: { hears: issueHears, plan: planIssue },
  event: { hears: eventHears, plan: planEvent },
  deploy: { hears: deployHears, plan: planDeploy },
  cron: { hears: cronHears, plan: planCron },
} satisfies Readonly<Record<string, Part>>;

/** The pure half of `sentry/<name>`. */
export function createSentryPlanner(name: string, config: SentryPlanConfig): Planner {
  const rules: SentryRules = { ...config, destination: `sentry/${name}` };
  const parts = Object.entries(PARTS).map(([part, { hears, plan }]) => {
    return { part, plan, hears: new Set(hears(rules)) };
  });
  return {
    destination: rules.destination,
    hears: new Set(parts.flatMap(({ hears }) => [...hears])),
    reads: readsOf(rules),
    plan(transition, context) {
      const heard = parts.filter(({ hears }) => hears.has(transition.kind));
      const planned = heard.map(({ part, plan }) => {
        const memo = memosOf(context.memo)[part];
        return { part, planned: plan(transition, { ...context, memo }, rules) };
      });
      return joined(planned, context.memo);
    },
    wantsLogs: (context, end) => wantsLogs(context, end, rules),
    storm: stormRules(rules),
    planDesired: (object, context) => (object.kind === 'CronJob' ? planMonitor(object, context, rules) : []),
    problems: (object, namespace) => [
      ...dsnProblems(object, rules),
      ...(object.kind === 'CronJob' && isInSelection(object, rules, namespace()?.labels)
        ? cronProblems(object, rules)
        : []),
    ],
    retire: (wanted, cause) => retireMonitor(wanted, cause, rules),
    adopt: adoptMonitor,
    ...(rules.crons.onDelete === 'delete' && { removeAfterMs: rules.crons.deleteAfter }),
  };
}

/**
 * One decision of all parts: everything that any wants sent; only where none does, the first reason why not. Of an edge that
 * several parts hear (the end of a run) one at most has anything to say: so nothing is left out silently beside what is sent.
 */
function joined(parts: readonly { part: string; planned: Planned }[], memo: Json | undefined): Planned {
  const sent = parts.flatMap(({ part, planned }) =>
    planned !== null && 'intents' in planned ? [{ part, ...planned }] : [],
  );
  if (sent.length === 0) return parts.find(({ planned }) => planned !== null)?.planned ?? null;
  const intents: Intent[] = sent.flatMap(({ intents: some }) => some);
  const memos = sent.flatMap(({ part, memo: kept }) => (kept === undefined ? [] : [[part, kept] as const]));
  const again = Math.min(...sent.map((one) => one.again ?? Infinity));
  return {
    intents,
    ...(memos.length > 0 && { memo: { ...memosOf(memo), ...Object.fromEntries(memos) } }),
    ...(again < Infinity && { again }),
  };
}

function memosOf(memo: Json | undefined): { [part: string]: Json } {
  return isJsonObject(memo) ? memo : {};
}
