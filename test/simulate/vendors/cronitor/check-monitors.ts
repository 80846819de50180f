import type { Failure } from '../../checker.ts';
import type { CronJobTruth } from '../../world/truth.ts';
import type { Checking } from '../vendor.ts';
import type { CronitorAccount } from './account.ts';

/** Each CronJob that lives has one monitor, as it is; that of one that is gone is paused. */
export function checkMonitors(account: CronitorAccount, { simulation }: Checking): Failure[] {
  const { truth, shown } = simulation;
  const byName = Map.groupBy(truth.cronJobs.values(), ({ namespace, name }) => `${namespace}/${name}`);
  const failures: Failure[] = [];
  for (const [name, cronJobs] of byName) {
    const monitors = [...account.monitors.values()].filter((monitor) => monitor.name === name);
    const living = cronJobs.find(({ deletedAt }) => deletedAt === undefined);
    const fail = (what: string): void => void failures.push({ what: `monitor of ${name}: ${what}` });
    const isWanted = cronJobs.some(({ excluded, uid }) => !excluded && shown.get(uid) !== undefined);
    if (monitors.length > 1) fail(`there are ${monitors.length}`);
    const [monitor] = monitors;
    if (monitor === undefined) {
      if (isWanted && living !== undefined) fail('there is none');
      continue;
    }
    if (!isWanted) fail('there should be none');
    const isPaused = monitor.paused === true;
    if (isPaused !== shouldBePaused(living)) fail(isPaused ? 'is paused' : 'is not paused');
    if (living !== undefined && monitor.schedule !== living.schedule)
      fail(`has the schedule ${monitor.schedule}, not ${living.schedule}`);
  }
  return failures;
}

function shouldBePaused(living: CronJobTruth | undefined): boolean {
  return living === undefined || living.suspended;
}
