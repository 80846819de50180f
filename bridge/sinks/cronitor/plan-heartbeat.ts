import type { Desired } from '../sink.ts';
import type { CronitorPlanConfig } from './config.ts';
import { MAX_TEXT } from './limits.ts';
import { shorten } from './shorten.ts';

const NOTE =
  'The bridge itself: pinged while it can commit and its watches or audits bring what happens in the cluster.';

/**
 * The monitor of the bridge itself. It is late by a whole interval before it wakes anybody: a restart, or one ping that
 * was lost, is not an outage.
 */
export function heartbeatMonitor(
  { key, interval }: NonNullable<CronitorPlanConfig['heartbeat']>,
  { clusterId, clusterName, pageUrl, tags }: CronitorPlanConfig,
): Desired {
  const seconds = Math.round(interval / 1000);
  const own = key ?? `lifecycle-bridge-${clusterId}`;
  return {
    key: own,
    wanted: {
      key: own,
      name: shorten(`lifecycle-bridge of ${clusterName}`, MAX_TEXT),
      note: pageUrl === undefined ? NOTE : `${NOTE} Its page: ${pageUrl}`,
      type: 'heartbeat',
      schedule: `every ${seconds} seconds`,
      grace_seconds: seconds,
      tags: ['kubernetes', ...tags].map((tag) => shorten(tag, MAX_TEXT)),
    },
  };
}
