import { resourceFromAttributes } from '@opentelemetry/resources';
import { VERSION } from '../lib/version.ts';

/** Longest wait for the receiver at the end of the bridge. */
const FLUSH_MS = 2_000;
/** Longest wait for the answer to one export. */
export const EXPORT_MS = 10_000;

/** The bridge as the one that sends: its lines and its spans say the same. */
export const ownResource = (clusterName: string) =>
  resourceFromAttributes({
    'service.name': 'lifecycle-bridge',
    'service.version': VERSION,
    'k8s.cluster.name': clusterName,
  });

/** Sends what waits, for two seconds at most. */
export async function flush(provider: { shutdown(): Promise<void> }): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
  await Promise.race([provider.shutdown().catch(() => undefined), late]);
}
