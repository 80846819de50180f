import type { Facts } from '../../kubernetes/observation.ts';
import { sha256Hex, uuidv5 } from '../../lib/ids.ts';
import type { Transition } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { Intent, PlanContext } from '../sink.ts';
import { uncombined } from './agent-patterns.ts';
import { breadcrumbs } from './breadcrumbs.ts';
import { contextsOf } from './contexts.ts';
import type { Failure } from './failure.ts';
import { agentGrouping, stableFingerprint } from './fingerprint.ts';
import { isFiltered, ruleFingerprint, ruleFor } from './issue-rules.ts';
import type { Level, LevelKey } from './level.ts';
import { messageShape } from './message-shape.ts';
import { setting } from './monitor-annotations.ts';
import type { SentryPayload, Tails } from './payload.ts';
import { releaseOf } from './release.ts';
import type { SentryRules } from './rules.ts';
import type { Subject } from './subject.ts';
import { STATUS_SOURCE, tagsOf } from './tags.ts';
import type { Watcher } from './tags.ts';
import { isSelected, limitsOf, targetOf } from './target.ts';
import { cut } from './text.ts';

/** Sentry cuts the message of an event there. */
const MAX_MESSAGE = 8_000;

/** Something to be reported, before rules and filters. */
export interface Report {
  readonly watcher: Watcher;
  readonly failure: Failure;
  /** Whose level counts. */
  readonly levelKey: LevelKey;
  readonly at: number;
  /** What people read first. */
  readonly title: string;
  /** What sentry-kubernetes would call it: its message without the name of the object. */
  readonly agentMessage: string;
  readonly reason: string | undefined;
  /** What rules look at, beside the title. */
  readonly message: string;
  readonly node: string | undefined;
  readonly image?: string | undefined;
  /** Of a run, the pod that decided. */
  readonly culprit?: Facts | undefined;
  readonly exitCode?: number | undefined;
  /** Whether the pods of the run are part of it. */
  readonly withAttempts?: boolean;
  /** Whose log tails are attached; without it, none. */
  readonly tails?: Tails;
}

type EventItem = { [key: string]: Json };

type Refused = { readonly drop: 'not_selected' | 'filtered_out' | 'level_none' };

/** The intent of an event, or why it is not reported. */
export function planReport(
  transition: Transition,
  subject: Subject,
  report: Report,
  context: PlanContext,
  rules: SentryRules,
): { readonly intents: readonly Intent[] } | Refused {
  const { about } = subject;
  if (!isSelected(context, about.namespace, rules)) return { drop: 'not_selected' };
  const source = transition.said === undefined ? STATUS_SOURCE : (transition.said.component ?? '');
  if (isFiltered(report.reason ?? '', source, rules.issues)) return { drop: 'filtered_out' };
  const verdict = verdictOf(subject, report, rules);
  if (verdict.level === 'none') return { drop: 'level_none' };
  const item = eventItem(transition, subject, { ...report, ...verdict }, context, rules);
  const tails = rules.shipLogs ? report.tails : undefined;
  const story = tails && (context.run?.uid ?? subject.pod?.uid);
  const target = targetOf(context, about.namespace, rules);
  const payload = {
    kind: 'event',
    target,
    item,
    ...(tails && story !== undefined && { tails }),
  } satisfies SentryPayload;
  const key = `${transition.id}/issue`;
  const { kind, name } = subject.workload;
  const what = `${report.reason ?? report.failure.kind} of ${kind} ${about.namespace === '' ? '' : `${about.namespace}/`}${name}`;
  const storm = { scope: target, group: sha256Hex(JSON.stringify(verdict.fingerprint ?? what)).slice(0, 16), what };
  const shared = { limits: limitsOf(payload), storm, ...(story !== undefined && { story }) };
  return { intents: [{ key, lane: key, payload, ...shared }] };
}

interface Verdict {
  readonly level: Level;
  readonly text: string;
  readonly fingerprint: readonly string[] | undefined;
}

/** How bad it is and how it groups: by the first rule that matches, else by its kind. */
function verdictOf(subject: Subject, report: Report, { issues, clusterId, clusterName }: SentryRules): Verdict {
  const { failure, reason = '', message, title, agentMessage } = report;
  const { about, workload } = subject;
  const agent = issues.fingerprints === 'compatible' ? agentGrouping(agentMessage, subject) : undefined;
  const byDefault = agent === undefined ? stableFingerprint(failure, subject, clusterId) : agent.fingerprint;
  const text = agent?.message ?? title;
  const verdict = ruleFor({ reason, message, kinds: [about.kind, workload.kind] }, issues);
  const level = verdict?.rule.level ?? issues.levels[report.levelKey];
  if (verdict === undefined) return { level, text, fingerprint: byDefault };
  const values = {
    cluster: clusterName,
    namespace: about.namespace,
    kind: about.kind,
    workload: `${workload.kind}/${workload.name}`,
    container: failure.container ?? '',
    reason,
    message: messageShape(message, namesOf(subject)),
  };
  const fingerprint = ruleFingerprint(verdict, values, byDefault ?? ['{{ default }}']) ?? byDefault;
  return { level, text, fingerprint };
}

/** Names and UIDs that a message may hold, of everything that comes and goes. */
export function namesOf({ about, chain }: Subject): string[] {
  const known = chain.flatMap(({ name, uid, kind }) => (kind === 'CronJob' ? [uid] : [name, uid]));
  return [about.name, about.uid, ...known].filter((name) => name !== '');
}

function eventItem(
  transition: Transition,
  subject: Subject,
  report: Report & Verdict,
  context: PlanContext,
  rules: SentryRules,
): EventItem {
  const { about, workload, chain, cronJob } = subject;
  const { at, level, text, fingerprint, reason, failure, node, watcher, exitCode } = report;
  const { isCombined } = uncombined(transition.message ?? '');
  const attempts = report.withAttempts === true ? context.attempts() : [];
  const crumbs = breadcrumbs(context.events(), transition.id, rules.issues.breadcrumbs);
  const labelled = report.culprit === undefined ? chain : [report.culprit, ...chain];
  const release = releaseOf(rules.release, labelled, report.image);
  const server = node ?? transition.said?.instance;
  const place = [about.namespace, workload.name].filter(Boolean).join('/').replaceAll(/\s+/g, ' ');
  return {
    event_id: eventId(transition.id, rules.clusterId),
    timestamp: at / 1000,
    platform: 'other',
    level,
    logger: `kubernetes.${watcher}`,
    message: cut(text.trim() || report.title, MAX_MESSAGE),
    ...(place !== '' && { transaction: cut(place, 200) }),
    ...(fingerprint !== undefined && { fingerprint: [...fingerprint] }),
    environment: (cronJob && setting(cronJob, 'environment')) ?? rules.environment,
    ...(release !== undefined && { release }),
    ...(server !== undefined && { server_name: cut(server, 200) }),
    tags: tagsOf(
      transition,
      subject,
      { watcher, reason, container: failure.container, node, exitCode, isCombined },
      rules,
    ),
    contexts: contextsOf(transition, subject, { run: context.run, attempts }, rules),
    ...(crumbs.length > 0 && { breadcrumbs: { values: crumbs } }),
  };
}

/** The same for the same transition, whenever it is planned or sent: Sentry keeps one of each id. */
export function eventId(transitionId: string, clusterId: string): string {
  return uuidv5(JSON.stringify(['event', clusterId, transitionId])).replaceAll('-', '');
}
