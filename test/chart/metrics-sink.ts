import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One sample as a backend gets it. */
export interface Sample {
  readonly name: string;
  readonly value: number;
  readonly resource: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface Point {
  readonly attributes?: readonly Attribute[];
  readonly asDouble?: number;
}
interface Metric {
  readonly name: string;
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly sum?: { readonly dataPoints: readonly Point[] };
}
interface Export {
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

/** An OTLP/HTTP backend for metrics that takes JSON, and beside it pages to scrape. */
export interface MetricsSink {
  /** host:port */
  readonly address: string;
  readonly samples: () => readonly Sample[];
  /** Headers of the last export. */
  readonly headers: () => Readonly<Record<string, string | string[] | undefined>>;
  close(): void;
}

export async function startMetricsSink(page: string, host = '127.0.0.1'): Promise<MetricsSink> {
  const samples: Sample[] = [];
  let headers: IncomingMessage['headers'] = {};
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(page);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      headers = request.headers;
      samples.push(...samplesOf(JSON.parse(Buffer.concat(chunks).toString()) as Export));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `${host}:${port}`,
    samples: () => samples,
    headers: () => headers,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const record = (attributes: readonly Attribute[] = []): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? '']));

function samplesOf({ resourceMetrics = [] }: Export): Sample[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(
        ({ name, gauge, sum }) =>
          (gauge ?? sum)?.dataPoints.map((point) => ({
            name,
            value: point.asDouble ?? 0,
            resource: record(resource.attributes),
            attributes: record(point.attributes),
          })) ?? [],
      ),
    ),
  );
}
