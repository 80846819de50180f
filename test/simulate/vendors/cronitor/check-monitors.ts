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

/** A monitor is asked to be what its CronJob was, in that order: it may miss something, and never goes back. */
export function checkSequence(
  { wanted }: CronitorAccount,
  { simulation: { truth, api }, tenures }: Checking,
): Failure[] {
  const failures: Failure[] = [];
  // Whoever leaves and comes back begins again, and so does a cluster that is restored.
  if (tenures.length !== 1 || api.restores > 0) return [];
  for (const [name, asked] of Map.groupBy(wanted, (monitor) => monitor.name ?? '')) {
    const states = truth.stages.get(name) ?? [];
    let at = 0;
    for (const { schedule, paused = false } of asked) {
      const next = states.findIndex(
        (state, n) => n >= at && state.paused === paused && (state.gone || state.schedule === schedule),
      );
      if (next >= 0) at = next;
      else {
        failures.push({ what: `monitor of ${name}: went back to ${schedule}${paused ? ', paused' : ''}` });
        break;
      }
    }
  }
  return failures;
}

function shouldBePaused(living: CronJobTruth | undefined): boolean {
  return living === undefined || living.suspended;
}
