import { expectationAfter } from '../../bridge/sinks/sentry/schedule-exact.ts';
import type { SentrySchedule, Times } from '../../bridge/sinks/sentry/schedule.ts';
import { nextDue, readSchedule } from '../../bridge/sinks/sentry/schedule.ts';
import type { ZoneClass } from './zones.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AROUND_MS = 2 * DAY_MS;
const MARGIN = 5;
/** A check-in is some seconds late. */
const LATE_MS = 5_000;

type Sent = readonly [string, string | null, number];

/** What `oracle.py` judges: see there. */
export interface Case {
  readonly name: string;
  readonly margin: number;
  readonly type: SentrySchedule['type'];
  readonly zone: string;
  readonly value: string | number;
  readonly unit: string | null;
  readonly runs: readonly number[];
  readonly near: readonly (readonly [number, number])[];
  readonly sent: Readonly<Record<string, Sent>>;
  readonly late: readonly (readonly [number, number, ...Sent])[];
}

interface Period {
  readonly from: number;
  readonly to: number;
}

/** The cases of a schedule in a zone; none where Sentry cannot have the schedule, which its monitor says. */
export function* casesOf(schedule: string, { zones, changes }: ZoneClass, period: Period): Generator<Case> {
  const times: Times = { schedule, timeZone: zones[0]!, anchor: period.from };
  const reading = readSchedule(times);
  if ('refused' in reading) return;
  const near = changes.slice(1).map(([at]) => ({ from: at * 1000 - AROUND_MS, to: at * 1000 + AROUND_MS }));
  for (const part of isFine(times, period.from) ? near : [period]) {
    yield {
      name: `${schedule} ${zones[0]}`,
      margin: MARGIN,
      type: reading.schedule.type,
      zone: reading.schedule.timezone,
      value: reading.schedule.value,
      unit: reading.schedule.type === 'interval' ? reading.schedule.unit : null,
      near: near.map(({ from, to }) => [from / MINUTE_MS, to / MINUTE_MS] as const),
      ...checkIns(times, reading.schedule, near, part),
    };
  }
}

function checkIns(
  times: Times,
  plain: SentrySchedule,
  near: readonly Period[],
  { from, to }: Period,
): Pick<Case, 'runs' | 'sent' | 'late'> {
  const runs: number[] = [];
  const sent: Record<string, Sent> = {};
  const late: [number, number, ...Sent][] = [];
  for (let at = nextDue(times, from), next; at !== undefined && at <= to; at = next) {
    next = nextDue({ ...times, anchor: at }, at);
    const own = sentAt({ ...times, anchor: at }, plain, at + LATE_MS);
    if (own !== undefined) sent[runs.length] = own;
    runs.push(at / MINUTE_MS);
    if (next === undefined || next > to || !near.some((period) => period.from <= at && at <= period.to)) continue;
    // What is sent in the middle: the end of a run, or that it goes on.
    const middle = Math.floor((at + next) / 2 / MINUTE_MS) * MINUTE_MS;
    const asIs: Sent = [plain.timezone, null, MARGIN];
    if (middle > at)
      late.push([middle / MINUTE_MS, runs.length, ...(sentAt({ ...times, anchor: at }, plain, middle) ?? asIs)]);
  }
  return { runs, sent, late };
}

function isFine(times: Times, from: number): boolean {
  const first = nextDue(times, from)!;
  const second = nextDue(times, first);
  return second !== undefined && second - first < HOUR_MS;
}

function sentAt(times: Times, plain: SentrySchedule, from: number): Sent | undefined {
  const { schedule, margin } = expectationAfter(times, plain, MARGIN, from);
  if (schedule === plain) return margin === MARGIN ? undefined : [plain.timezone, null, margin];
  return [schedule.timezone, String(schedule.value), margin];
}
