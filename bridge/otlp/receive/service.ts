/** OTLP's one method for logs. */
export const EXPORT_PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** The gRPC status codes that the bridge answers. */
export const status = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;
export type StatusCode = (typeof status)[keyof typeof status];
