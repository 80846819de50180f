import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { tool } from './cluster.ts';
import { freePort } from './ports.ts';
import { type Program, startProgram } from './program.ts';

/** A real program that stores what it is sent, on ports that stay the same over restarts. */
export interface Backend extends Pick<Program, 'stop' | 'start'> {
  /** Where exports go: host:port of OTLP/gRPC (Jaeger), or the base URL of OTLP/HTTP (VictoriaLogs). */
  readonly endpoint: string;
  /** Base of its query API, with a slash at the end. */
  readonly url: string;
}

/** A span as Jaeger's query API has it. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  /** Microseconds. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
}

/** Jaeger with a store on disk, at an address of this machine. */
export async function startJaeger(dataDir: string, host = '127.0.0.1'): Promise<Backend> {
  const [otlp, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const at = (port: number): { endpoint: string } => ({ endpoint: `${host}:${port}` });
  const directories = { keys: join(dataDir, 'jaeger/keys'), values: join(dataDir, 'jaeger/values') };
  const config = {
    receivers: { otlp: { protocols: { grpc: at(otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'disk' } },
    extensions: {
      jaeger_storage: { backends: { disk: { badger: { directories, ephemeral: false } } } },
      jaeger_query: { storage: { traces: 'disk' }, http: at(http), grpc: at(grpc) },
    },
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'jaeger.yaml');
  writeFileSync(file, stringify(config));
  const url = `http://${host}:${http}/`;
  const program = await startProgram({
    name: 'jaeger',
    path: await tool('jaeger'),
    args: [`--config=file:${file}`],
    logFile: join(dataDir, 'jaeger.log'),
    healthUrl: `${url}api/services`,
  });
  return { ...program, url, endpoint: at(otlp).endpoint };
}

/** VictoriaLogs with a store on disk, at an address of this machine. */
export async function startVictoriaLogs(dataDir: string, host = '127.0.0.1'): Promise<Backend> {
  const port = await freePort();
  const url = `http://${host}:${port}/`;
  const args = [`-storageDataPath=${join(dataDir, 'victorialogs')}`, `-httpListenAddr=${host}:${port}`];
  // The recordings of the tests are of other days.
  args.push('-retentionPeriod=100y', '-futureRetention=100y', '-inmemoryDataFlushInterval=1s');
  mkdirSync(dataDir, { recursive: true });
  const program = await startProgram({
    name: 'victorialogs',
    path: await tool('victorialogs'),
    args,
    logFile: join(dataDir, 'victorialogs.log'),
    healthUrl: `${url}health`,
  });
  return { ...program, url, endpoint: `${url}insert/opentelemetry` };
}

/** The spans of a trace by Jaeger's query API, with the attributes of their resources; none when it does not know it. */
export async function jaegerSpans(
  { url }: Pick<Backend, 'url'>,
  traceId: string,
): Promise<readonly (JaegerSpan & { readonly resource: Readonly<Record<string, unknown>> })[]> {
  const answer = await fetch(`${url}api/traces/${traceId}`);
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`Jaeger: ${answer.status} ${await answer.text()}`);
  const { data } = (await answer.json()) as {
    data: { spans: JaegerSpan[]; processes: Record<string, { serviceName: string; tags: JaegerSpan['tags'] }> }[];
  };
  return data.flatMap(({ spans, processes }) =>
    spans.map((span) => {
      const { serviceName, tags } = processes[span.processID]!;
      return { ...span, resource: { 'service.name': serviceName, ...tagsOf(tags) } };
    }),
  );
}

/** Spans as lines, children below their parents by their start, with what `more` says of each. */
export function spanTree<S extends JaegerSpan>(
  spans: readonly S[],
  more: (span: S) => string = () => '',
  parent = '',
  depth = 0,
): string[] {
  return spans
    .filter(({ references }) => (references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '') === parent)
    .toSorted((a, b) => a.startTime - b.startTime || a.operationName.localeCompare(b.operationName))
    .flatMap((span) => {
      const failed = tagsOf(span.tags)['error'] === true ? ' failed' : '';
      const line = `${'  '.repeat(depth)}${span.operationName}${more(span)}${failed}`;
      return [line, ...spanTree(spans, more, span.spanID, depth + 1)];
    });
}

/** The records that a LogsQL query finds, each with its fields as VictoriaLogs names them. */
export async function victoriaLogs(
  { url }: Pick<Backend, 'url'>,
  query: string,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const answer = await fetch(`${url}select/logsql/query?${new URLSearchParams({ query, limit: '100000' }).toString()}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`VictoriaLogs: ${answer.status} ${text}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

export function tagsOf(tags: JaegerSpan['tags']): Record<string, unknown> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
