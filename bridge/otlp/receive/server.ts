import type { Instant } from '../../lib/clock.ts';
import { iso, systemClock } from '../../lib/clock.ts';
import type { Access, AccessOptions, AccessReport } from './access.ts';
import { openAccess } from './access.ts';
import type { ExporterOptions, Refused, RequestOutcome } from './export-service.ts';
import { ExportService } from './export-service.ts';
import type { Listener, RefusedConnection } from './listener.ts';
import { listen } from './listener.ts';

export type { RefusedConnection } from './listener.ts';
export type { RequestOutcome } from './export-service.ts';

const MAX_CONNECTIONS = 64;
const FIRST_CALL_MS = 30_000;
const WARNING_MS = 60_000;
/** How long the page mentions a refused export; a Collector with a wrong token retries within minutes. */
const RECENT_MS = 10 * 60_000;

export interface OtlpServerOptions extends AccessOptions, ExporterOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly maxConnections?: number;
  /** A connection without an accepted export by then is ended. */
  readonly firstCallMs?: number;
  readonly onRefusedConnection?: (why: RefusedConnection) => void;
  /** What an operator should know, at most once a minute per subject; without secrets. */
  readonly onWarning?: (text: string) => void;
}

/** State of the OTLP port, for /readyz and the page. */
export interface OtlpReport extends AccessReport {
  readonly connections: number;
  readonly pendingBytes: number;
  /** Without an accepted token; they are sent again. */
  readonly unauthorized: RefusedReport;
  /** For good: nobody sends them again. */
  readonly rejected: RefusedReport;
}

export interface RefusedReport {
  readonly count: number;
  readonly lastAt?: string;
  readonly lastWhy?: string;
}

export interface OtlpServer {
  readonly port: number;
  report(): OtlpReport;
  /** When an export was refused last because it had no accepted token. */
  unauthorizedAt(): Instant | undefined;
  /** What everybody who looks at the bridge should know: files that cannot be used, tokens that are not accepted. */
  notes(): string[];
  /** Refuses new calls (retryable), answers those in work, then closes; at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Serves OTLP/gRPC logs: acknowledges after the commit. Throws a `UserError` when it cannot listen. */
export async function startOtlpServer(options: OtlpServerOptions): Promise<OtlpServer> {
  const { host, port, maxConnections = MAX_CONNECTIONS, firstCallMs = FIRST_CALL_MS, onWarning } = options;
  const warn = atMostOnceAMinute((text) => onWarning?.(text));
  let listener: Listener | undefined;
  const access = await openAccess(
    options,
    (material) => listener?.useTls(material),
    (problem) => onWarning?.(problem),
  );
  const onRequest = (outcome: RequestOutcome, bytes: number, why?: string): void => {
    options.onRequest?.(outcome, bytes);
    if (outcome === 'unauthorized') warn(outcome, 'exports without an accepted bearer token are refused');
    if (outcome === 'rejected') warn(outcome, `an export was refused for good: ${String(why)}`);
  };
  const service = new ExportService({ ...options, onRequest }, (authorization) => access.allows(authorization));
  listener = await listen({
    host,
    port,
    maxConnections,
    firstCallMs,
    tls: access.tls,
    requireClientCertificate: options.tls?.clientCaFile !== undefined,
    onStream: (stream, headers, connection) => service.handle(stream, headers, connection),
    onRefused: (why, detail) => {
      options.onRefusedConnection?.(why);
      warn(why, `OTLP connection refused: ${detail}`);
    },
  }).catch((error: unknown) => {
    access.close();
    throw error;
  });
  return serving(listener, service, access, options);
}

function serving(listener: Listener, service: ExportService, access: Access, { clock }: OtlpServerOptions): OtlpServer {
  const report = (): OtlpReport => ({
    connections: listener.connections,
    pendingBytes: service.pendingBytes,
    ...access.report(),
    unauthorized: refusedReport(service.unauthorized),
    rejected: refusedReport(service.rejected),
  });
  return {
    port: listener.port,
    report,
    unauthorizedAt: () => service.unauthorized.last?.at,
    notes: () => notesOf(report(), clock.now()),
    async drain(graceMs) {
      const { promise: graceOver, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([service.drain().then(() => listener.close()), graceOver]);
      clearTimeout(timer);
      listener.destroy();
      access.close();
    },
  };
}

function refusedReport({ count, last }: Refused): RefusedReport {
  return { count, ...(last && { lastAt: iso(last.at), lastWhy: last.why }) };
}

function notesOf({ token, tls, unauthorized, rejected }: OtlpReport, now: Instant): string[] {
  const recent = ({ count, lastAt, lastWhy }: RefusedReport, what: string): string[] =>
    lastAt !== undefined && now - Date.parse(lastAt) < RECENT_MS
      ? [`${count} exports were refused since the start ${what}, the last at ${lastAt}: ${String(lastWhy)}.`]
      : [];
  return [
    ...[token, tls].flatMap((part) => (part === 'off' || part.problem === undefined ? [] : [part.problem])),
    ...recent(unauthorized, 'and will be sent again'),
    ...recent(rejected, 'for good'),
  ];
}

/** Says a text about a subject, then nothing more about that subject for a minute. */
function atMostOnceAMinute(say: (text: string) => void): (subject: string, text: string) => void {
  const said = new Map<string, number>();
  return (subject, text) => {
    const now = systemClock.now();
    if (now - (said.get(subject) ?? -Infinity) < WARNING_MS) return;
    said.set(subject, now);
    say(text);
  };
}
