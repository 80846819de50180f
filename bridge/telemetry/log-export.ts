import type { Attributes } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { VERSION } from '../lib/version.ts';
import { EXPORT_MS, flush, ownResource } from './own-export.ts';

const SEVERITIES: Readonly<Record<string, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

export interface LogExport {
  /** A line of the log: JSON with `level`, `time` and `msg`. Never throws. */
  write(line: string): void;
  /** Sends what waits, for two seconds at most. */
  stop(): Promise<void>;
}

/**
 * The bridge's own lines as OTLP log records. Standard output has them too and is the truth: what the receiver does not take,
 * or refuses in part, is lost here.
 */
export function startLogExport(endpoint: string, clusterName: string): LogExport {
  const exporter = new OTLPLogExporter({ url: endpoint });
  const provider = new LoggerProvider({
    resource: ownResource(clusterName),
    processors: [new BatchLogRecordProcessor({ exporter, exportTimeoutMillis: EXPORT_MS })],
  });
  const logger = provider.getLogger('lifecycle-bridge', VERSION);
  return {
    write: (line) => {
      const record = read(line);
      if (record !== undefined) logger.emit(record);
    },
    stop: () => flush(provider),
  };
}

function read(line: string): Parameters<ReturnType<LoggerProvider['getLogger']>['emit']>[0] | undefined {
  try {
    const { level, time, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    return {
      timestamp: new Date(String(time)),
      severityText: String(level).toUpperCase(),
      severityNumber: SEVERITIES[String(level)] ?? SeverityNumber.UNSPECIFIED,
      body: String(msg),
      attributes: Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plain(value)])) as Attributes,
    };
  } catch {
    return undefined; // not a line of ours
  }
}

function plain(value: unknown): string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : JSON.stringify(value);
}
