import { z } from 'zod';
import type { Run } from '../../lifecycle/transition.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import type { Instant } from '../../lib/clock.ts';
import { iso } from '../../lib/clock.ts';
import type { RunLink } from '../module.ts';
import { isInNamespaces } from '../selection.ts';
import { workloadName } from './resource.ts';

/** What stands in a template in braces. `from` and `to` are milliseconds of the epoch around the run, `fromTime` and `toTime` RFC 3339. */
const PLACEHOLDERS = [
  'traceId',
  'uid',
  'kind',
  'namespace',
  'name',
  'workload',
  'cluster',
  'from',
  'to',
  'fromTime',
  'toTime',
] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

const BRACES = /\{([^{}]*)\}/g;
const MAX_TEMPLATE = 2000;
const ALLOWED = `an http or https URL such as https://jaeger.example.com/trace/{traceId}, with ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')} after the name of the host; another brace is written %7B or %7D`;

const template = z.string().refine(isTemplate, `allowed: ${ALLOWED}`).meta({ allowed: ALLOWED }).optional();

/** Where people read traces and logs of a run. */
export const linksSchema = z
  .strictObject({
    trace: template.describe(
      'Where a trace is shown: the page of a run links there. {traceId} and others are filled in, such as https://jaeger.example.com/trace/{traceId}',
    ),
    logs: template.describe(
      'The same for the logs of a run, such as https://logs.example.com/select/vmui/#/?query=trace_id%3A{traceId}&g0.range_input=1d&g0.end_input={toTime}&g0.relative_time=none',
    ),
  })
  .prefault({})
  .describe('Links from the page of a run to the backend');

/** Without what is filled in it has to be a URL, and no placeholder may be in its host. */
function isTemplate(text: string): boolean {
  if (text.length > MAX_TEMPLATE) return false;
  const names = [...text.matchAll(BRACES)].map(([, name]) => name);
  const rest = text.replaceAll(BRACES, 'x');
  if (!/^https?:\/\/[^\s/?#@{}\\]+([/?#]|$)/i.test(text) || /[\s{}\\]/.test(rest)) return false;
  return URL.canParse(rest) && names.every((name) => (PLACEHOLDERS as readonly (string | undefined)[]).includes(name));
}

const BEFORE_MS = 60_000;
/** Logs of a run may arrive minutes after its end. */
const AFTER_MS = 15 * 60_000;

/** What of the settings of a destination its links follow from. */
type Linking = Parameters<typeof isInNamespaces>[1] & {
  readonly dryRun: boolean;
  readonly links: { readonly trace?: string | undefined; readonly logs?: string | undefined };
};

/** The links of one run: those that this destination has, if the run is its business. */
export function linksOf(run: Run, config: Linking, clusterName: string, now: Instant): RunLink[] {
  if (config.dryRun || !isInNamespaces(run.namespace, config)) return [];
  const start = run.scheduledAt ?? run.createdAt ?? run.startedAt ?? now;
  const from = Math.min(start, run.createdAt ?? start) - BEFORE_MS;
  const to = (run.endedAt ?? now) + AFTER_MS;
  const values: Readonly<Record<Placeholder, string>> = {
    traceId: traceIdOf(run),
    uid: run.uid,
    kind: run.kind,
    namespace: run.namespace,
    name: run.name,
    workload: workloadName(run),
    cluster: clusterName,
    from: String(from),
    to: String(to),
    fromTime: iso(from),
    toTime: iso(to),
  };
  const filled = (text: string): string =>
    text.replaceAll(BRACES, (_all, name: Placeholder) => encodeURIComponent(values[name]));
  const { trace, logs } = config.links;
  return [
    ...(trace === undefined ? [] : [{ label: 'trace', url: filled(trace) }]),
    ...(logs === undefined ? [] : [{ label: 'logs', url: filled(logs) }]),
  ];
}
