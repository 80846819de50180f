import { systemClock } from '../../bridge/lib/clock.ts';
import type { Releases } from '../../bridge/lib/releases.ts';
import { otlpSchema } from '../../bridge/sinks/otlp/config.ts';
import { createOtlpDeliverer } from '../../bridge/sinks/otlp/deliver.ts';
import { story } from '../../bridge/sinks/otlp/fixtures.ts';
import type { Delivery } from '../../bridge/sinks/sink.ts';
import { until } from '../harness/kube.ts';

/** Sends the trace of the fixtures as the bridge does, again until it is taken or refused. */
export async function sendTrace(endpoint: string, releases: Releases): Promise<Delivery> {
  const config = otlpSchema.parse({ endpoint });
  const known = { clock: systemClock, clusterName: 'c', pageUrl: undefined };
  const deliverer = createOtlpDeliverer('x', config, known);
  releases.add(() => deliverer.close?.());
  const row = { key: 'k', lane: 'l', payload: {}, limits: [], transitionId: 't', seq: 1, destination: 'x', attempt: 1 };
  const { signal } = new AbortController();
  return until('the Collector', async () => {
    const [delivery] = await deliverer.deliver([{ ...row, story: story() }], signal);
    return delivery?.outcome === 'retry' ? undefined : delivery;
  });
}
