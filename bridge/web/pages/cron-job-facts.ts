import { parseSchedule } from '../../kubernetes/schedule.ts';
import { reasonText } from '../../lib/reasons.ts';
import type { Instant } from '../../lib/clock.ts';
import type { CronJobView, DesiredView } from '../../store/read.ts';
import { type Child, type Html, html } from '../html.ts';
import { facts, time } from '../parts.ts';

/** When a CronJob runs, when it last succeeded, and what is kept of it at vendors. */
export function cronJobFacts(cronJob: CronJobView | undefined, now: Instant): Child {
  if (cronJob === undefined) return undefined;
  const { deleted, desired } = cronJob;
  const { schedule, timeZone, suspend, lastSuccessfulAt, uid } = cronJob.facts;
  const isOver = deleted || cronJob.gone !== undefined;
  const rows: readonly (readonly [string, Child])[] = [
    ['Schedule', html`<code>${schedule}</code> ${timeZone ?? ''}`],
    ['Next', isOver ? 'never: it was deleted' : suspend ? 'never: it is suspended' : nextOf(cronJob, now)],
    ['Last success', time(lastSuccessfulAt, 'none seen')],
    ['UID', html`<code>${uid}</code>`],
    ...desired.map((row) => [row.destination, vendorObject(row)] as const),
  ];
  return facts(rows, 'cronjob');
}

/** Where `@every` begins to count only the cluster knows. */
function nextOf({ facts: { schedule, timeZone } }: CronJobView, now: Instant): Child {
  const parsed = parseSchedule(schedule, timeZone);
  if ('error' in parsed) return parsed.error;
  return parsed.everyMs === undefined ? time(parsed.next(now), 'not within five years') : 'as the cluster counts';
}

function vendorObject({ key, inSync, reason, detail }: DesiredView): Html {
  const why = reason === undefined || reason === 'delivered' ? 'not sent yet' : reasonText(reason, detail);
  return html`<code>${key}</code> ${inSync ? '✓ in sync' : html`<span title="${why}">○ not in sync</span>`}`;
}
