import type { Ping } from '../../../vendors/cronitor.ts';
import type { Failure } from '../../checker.ts';
import type { Heard } from '../../heard.ts';
import { checkJobs } from '../../runs.ts';
import type { JobTruth } from '../../world/truth.ts';
import type { Checking } from '../vendor.ts';
import type { CronitorAccount } from './account.ts';
import { checkAlerts } from './check-alerts.ts';
import { checkMonitors, checkSequence } from './check-monitors.ts';

/** What is wrong with the pings and monitors of an account. */
export function checkCronitor(account: CronitorAccount, checking: Checking): Failure[] {
  return [
    ...account.autoCreated.map((key) => ({ what: `a ping made the monitor ${key}` })),
    ...checkJobs(checking, account.pings.map(heardOf), silent),
    ...checkAlerts(account, checking),
    // Of a destination that has left nobody keeps the monitors.
    ...(checking.tenures.at(-1)?.removedAt === undefined ? checkMonitors(account, checking) : []),
    ...checkSequence(account, checking),
  ];
}

function silent({ cronJob }: JobTruth): string | undefined {
  if (cronJob === undefined) return 'it has no CronJob';
  return cronJob.excluded ? 'its CronJob is excluded' : undefined;
}

const STATES: Readonly<Record<string, Heard['state']>> = { run: 'run', complete: 'complete', fail: 'fail' };

function heardOf({ at, query: { series = '', state, stamp } }: Ping): Heard {
  const said = `${series} ${state ?? ''} ${stamp}`;
  return { at, said, uid: series, state: STATES[state ?? ''] ?? 'other', stamp: Number(stamp) * 1_000 };
}
