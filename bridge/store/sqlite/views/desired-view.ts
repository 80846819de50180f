import type { Reason } from '../../../lib/reasons.ts';
import type { DesiredView } from '../../read.ts';
import { readable } from './readable.ts';

export interface DesiredViewColumns {
  readonly id: number;
  readonly destination: string;
  readonly key: string;
  readonly wanted: string;
  readonly not_in_sync_since: number | null;
  readonly first_accepted_at: number | null;
  readonly attempts: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly remove_at: number | null;
  readonly cron_jobs: string;
  readonly has_left: number;
}

export function toDesiredView(row: DesiredViewColumns): DesiredView {
  const { destination, key, attempts } = row;
  return {
    destination,
    key,
    attempts,
    wanted: readable(row.wanted),
    inSync: row.not_in_sync_since === null,
    notInSyncSince: row.not_in_sync_since ?? undefined,
    firstAcceptedAt: row.first_accepted_at ?? undefined,
    reason: row.has_left === 1 ? 'destination_removed' : (row.reason ?? undefined),
    detail: row.detail ?? undefined,
    removeAt: row.remove_at ?? undefined,
    cronJobs: JSON.parse(row.cron_jobs) as string[],
  };
}
