import { REASONS } from '../../lib/reasons.ts';
import type { SinkLog } from '../module.ts';
import type { Delivery } from '../sink.ts';
import type { DeploymentRecord } from './record.ts';

/** One line for each record that was sent, with the fields that deployment-tracker's had. */
export function logRecord(log: SinkLog, destination: string, record: DeploymentRecord, delivery: Delivery): void {
  const { name, deployment_name, digest, status, version, runtime_risks, tags } = record;
  const isOk = delivery.outcome === 'delivered';
  const fields = {
    destination,
    result: isOk ? 'OK' : 'FAILED',
    event_type: status === 'deployed' ? 'CREATED' : 'DELETED',
    name,
    deployment_name,
    digest,
    status,
    ...(version !== undefined && { version }),
    ...(runtime_risks !== undefined && { runtime_risks }),
    ...(tags !== undefined && { tags }),
    ...(!isOk && { reason: delivery.reason, error: delivery.detail ?? REASONS[delivery.reason] }),
  };
  log.info(fields, isOk ? 'deployment record accepted' : 'deployment record not accepted; it is tried again');
}
