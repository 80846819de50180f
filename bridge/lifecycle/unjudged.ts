import { parseSchedule } from '../kubernetes/schedule.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { CronJobState } from './cronjob.ts';
import { isClockAhead } from './zone-data.ts';

/** Why missed runs of a CronJob are not judged. */
export interface Unjudged {
  readonly reason: Extract<Reason, 'zone_data_differ' | 'clock_ahead' | 'schedule_unreadable'>;
  /** What was seen, and what to do where something can be done. */
  readonly detail: string;
  /** The time zone that it is about: its name, or `control plane` where the CronJob names none. */
  readonly zone: string;
}

/** Why the missed runs of a CronJob that should start runs are not judged; undefined when they are. */
export function unjudged({ facts, deleted, gone, comparison }: CronJobState, now: Instant): Unjudged | undefined {
  if (deleted || gone !== undefined || facts.suspend || facts.deletionAt !== undefined) return undefined;
  const schedule = parseSchedule(facts.schedule, facts.timeZone);
  const zone = facts.timeZone ?? 'control plane';
  if ('error' in schedule) return { reason: 'schedule_unreadable', detail: schedule.error, zone };
  if (isClockAhead(facts, now)) {
    return { reason: 'clock_ahead', detail: `lastScheduleTime is ${utc(facts.lastScheduleAt)}`, zone };
  }
  if (comparison?.differs === undefined) return undefined;
  const seen = `${utc(comparison.differs.at)} is not a time of "${facts.schedule}" in`;
  return schedule.zone === undefined
    ? {
        reason: 'zone_data_differ',
        detail: `${seen} UTC, which the bridge takes for the control plane's own time zone: set spec.timeZone`,
        zone,
      }
    : { reason: 'zone_data_differ', detail: `${seen} ${schedule.zone}`, zone: schedule.zone };
}

function utc(at: Instant | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString();
}
