import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FakeApi } from '../../bridge/cluster/fake-api.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { fileOf, packageChart, render } from '../chart/helm.ts';
import { until } from '../harness/kube.ts';
import type { CollectorConfig } from '../harness/lifecycle-collector.ts';
import { startLifecycleCollector } from '../harness/lifecycle-collector.ts';
import { Bench } from '../replay/bench.ts';
import { exported } from '../replay/objects.ts';
import { startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { retriedJob } from './retried-job.ts';

const releases = new Releases();
afterEach(() => releases.release());

/** The bridge reads the log of the real Collector, as the Kubernetes API would give it. */
it('what a backend refuses after the Collector took it is on the page, in the log and in the metrics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refusals-'));
  releases.add(() => rmSync(folder, { recursive: true, force: true }));
  const backend = await startOtlpReceiver();
  releases.add(() => backend.stop());
  const endpoint = backend.endpoint.replace('http://', '');
  const values = {
    backend: { exporter: 'otlp', endpoint, insecure: true, signals: { metrics: { exporter: 'none' } } },
  };
  const config = parse(fileOf(await render(await packageChart(), values), 'lb-collector', 'collector.yaml'));
  const collector = await startLifecycleCollector(config as CollectorConfig, folder);
  releases.add(() => collector.kill9());
  const fake = new FakeApi();
  await fake.start();
  releases.add(() => fake.stop());
  fake.intercept = (path) =>
    path.includes('/namespaces/ops/pods/lb-collector-0/log') ? { status: 200, body: collector.log() } : undefined;
  const env = {
    LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__ENDPOINT: collector.endpoint,
    LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__LOGS: 'false',
    LIFECYCLE_BRIDGE__CLUSTER__COLLECTOR_LOGS: '["ops/lb-collector-0"]',
  };
  const bench = await Bench.start({ kubeconfig: fake.kubeconfig, env });
  releases.add(() => bench.close());
  const start = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const send = (number: number): Promise<void> => {
    const { running, ended } = retriedJob(number, start);
    return bench.insist(exported(...running, ...ended));
  };
  const says = (what: RegExp): Promise<unknown> =>
    until(String(what), async () => what.test((await bench.get('')).text), 120_000);

  backend.refusePart(2, 'spans are too old');
  await send(1);
  await says(
    /otlp\/lifecycle-traces of .+ops\/lb-collector-0 refused 2 items for good, last at [^:]+:\d\d:[^:]+: spans are too old/,
  );
  expect(await bench.metric('lifecycle_bridge_backend_refused_total{exporter="otlp/lifecycle-traces"}')).toBe(2);

  backend.refuse(status.INVALID_ARGUMENT, undefined, 'no such tenant');
  await send(2);
  await says(/otlp\/lifecycle-traces of .+ops\/lb-collector-0 refused 15 items for good.+no such tenant/);
  expect(await bench.metric('lifecycle_bridge_backend_refused_total{exporter="otlp/lifecycle-traces"}')).toBe(15);
  const refused = bench.log().filter(({ msg }) => String(msg).startsWith('a backend refused'));
  expect(refused[0]).toMatchObject({ exporter: 'otlp/lifecycle-traces', pod: 'ops/lb-collector-0', count: 2 });

  backend.refuse(status.UNAVAILABLE, undefined, 'maintenance');
  await send(3);
  await says(/otlp\/lifecycle-traces of .+ops\/lb-collector-0 takes nothing since .+maintenance/);
  backend.accept();
  const { traceId } = retriedJob(3, start);
  await until(
    'the third trace',
    () => backend.spans().filter((span) => span.traceId === traceId).length === 13,
    90_000,
  );
});
