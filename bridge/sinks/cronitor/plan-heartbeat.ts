import type { Desired } from '../sink.ts';
import type { CronitorPlanConfig } from './config.ts';
import { MAX_TEXT } from './limits.ts';
import { shorten } from './shorten.ts';

/**
 * The monitor of the bridge itself. It is late by a whole interval before somebody is woken: a restart, or one ping that
 * was lost, is no outage.
 */
export function heartbeatMonitor(
  { key, interval }: NonNullable<CronitorPlanConfig['heartbeat']>,
  { clusterId, clusterName, tags }: CronitorPlanConfig,
): Desired {
  const seconds = Math.round(interval / 1000);
  const own = key ?? `lifecycle-bridge-${clusterId}`;
  return {
    key: own,
    wanted: {
      key: own,
      name: shorten(`lifecycle-bridge of ${clusterName}`, MAX_TEXT),
      note: 'The bridge itself: pinged while it can commit and its watches or audits bring what happens in the cluster.',
      type: 'heartbeat',
      schedule: `every ${seconds} seconds`,
      grace_seconds: seconds,
      tags: ['kubernetes', ...tags].map((tag) => shorten(tag, MAX_TEXT)),
    },
  };
}
