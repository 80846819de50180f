import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Http } from '../http.ts';
import type { DeliverBench } from './deliver-bench.ts';
import { event, EVENT_ID, send, startBench } from './deliver-bench.ts';
import { clusterOf, describedBy } from './gke.ts';

it.each([
  ['V42', { 'cluster-name': 'a', clusterName: 'b' }, 'a'],
  ['the other spelling', { clusterName: 'b' }, 'b'],
  ['an empty name', { 'cluster-name': '', clusterName: 'b' }, 'b'],
  ['another type', { 'cluster-name': 7 }, undefined],
  ['nothing', {}, undefined],
])('of the metadata %s the name of the cluster is read', (_what, instance, name) => {
  expect(clusterOf(instance, {}).name).toBe(name);
});

it('an event without a pod has no link to its logs, and of a cluster that names nothing nothing', () => {
  const cluster = { name: 'c', location: 'l', project: 'p' };
  const context = { 'Cluster name': 'c', 'Cluster location': 'l', 'GCP project': 'p' };
  const url = 'https://console.cloud.google.com/kubernetes/clusters/details/l/c/details?project=p';
  expect(describedBy(cluster, {})).toEqual({
    tags: { gke_cluster_name: 'c', gke_cluster_location: 'l', gke_project_name: 'p' },
    contexts: { 'Google Kubernetes Engine': { ...context, 'Cluster URL': url } },
  });
  expect(describedBy({ name: undefined, location: undefined, project: undefined }, { message: 'm' })).toEqual({
    message: 'm',
  });
});

/** What the metadata server of a node answers, by path. */
const METADATA: Record<string, string> = {
  '/computeMetadata/v1/instance/attributes/?recursive=true':
    '{"cluster-name":"prod & more","cluster-location":"europe-west1","other":1}',
  '/computeMetadata/v1/project/?recursive=true': '{"projectId":"acme","numericProjectId":7}',
};

describe('an issue in GKE', () => {
  let bench: DeliverBench;
  const asked: string[] = [];
  let flavor = 'Google';
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${String(request.headers['metadata-flavor'])}`);
    response.writeHead(200, { 'metadata-flavor': flavor }).end(METADATA[request.url ?? '']);
  });
  beforeEach(async () => {
    asked.length = 0;
    flavor = 'Google';
    bench = await startBench();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await bench.close();
    await new Promise((resolve) => void server.close(resolve));
  });

  /** The name of the metadata server is that of this one. */
  const through = (): Http => {
    const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const url = (wanted: string) => wanted.replace('http://metadata.google.internal', own);
    return {
      request: (request) => bench.http.request({ ...request, url: url(request.url) }),
      close: () => bench.http.close(),
    };
  };
  const tags = { namespace: 'shop', pod_name: 'web-1', workload_name: 'web' };
  const arrived = () => bench.vendors.sentry.events.map(({ event: one }) => one);

  it('has the tags and links of sentry-kubernetes, and the metadata server is asked once', async () => {
    const one = bench.deliverer({ gke: true }, through());
    const payloads = ['1', '2', '3'].map((digit) => event({ event_id: digit.repeat(32), tags }));
    const deliveries = await Promise.all(payloads.map((payload) => send(one, payload)));
    expect(deliveries).toEqual(payloads.map(() => ({ outcome: 'delivered' })));
    expect(asked.toSorted()).toEqual(Object.keys(METADATA).map((path) => `${path} Google`));
    expect(arrived()[0]).toMatchObject({
      tags: {
        ...tags,
        gke_cluster_name: 'prod & more',
        gke_cluster_location: 'europe-west1',
        gke_project_name: 'acme',
      },
      contexts: {
        'Google Kubernetes Engine': {
          'Cluster name': 'prod & more',
          'Cluster location': 'europe-west1',
          'GCP project': 'acme',
          'Cluster URL':
            'https://console.cloud.google.com/kubernetes/clusters/details/europe-west1/prod%20%26%20more/details?project=acme',
        },
      },
    });
    const contexts = arrived()[0]!['contexts'] as Record<string, Record<string, string>>;
    const { pathname, search } = new URL(contexts['Google Kubernetes Engine']!['Pod Logs']!);
    expect([decodeURIComponent(pathname), search]).toEqual([
      [
        '/logs/query;query=resource.type="k8s_container"',
        'resource.labels.project_id="acme"',
        'resource.labels.location="europe-west1"',
        'resource.labels.cluster_name="prod & more"',
        'resource.labels.namespace_name="shop"',
        'resource.labels.pod_name="web-1"',
        ';duration=PT1H',
      ].join('\n'),
      '?project=acme',
    ]);
    expect(bench.vendors.sentry.violations).toEqual([]);
  });

  it('goes without them when something else answers, which is said; it is asked again later', async () => {
    flavor = 'of a proxy';
    const one = bench.deliverer({ gke: true }, through());
    const without = { outcome: 'delivered', detail: expect.stringContaining('its metadata server did not answer') };
    expect(await send(one, event({ tags }))).toEqual(without);
    expect(arrived()[0]).toMatchObject({ event_id: EVENT_ID, tags });
    flavor = 'Google';
    expect(await send(one, event({ event_id: 'c'.repeat(32) }))).toEqual(without);
    bench.now += 300_000;
    expect(await send(one, event({ event_id: 'd'.repeat(32) }))).toEqual({ outcome: 'delivered' });
    expect(asked).toHaveLength(4);
  });

  it('has nothing of it without gke, and nobody is asked', async () => {
    await send(bench.deliverer({}, through()), event({ tags }));
    expect(asked).toEqual([]);
    expect(arrived()[0]).not.toHaveProperty('contexts');
  });
});
