import type { MethodDefinition } from '@grpc/grpc-js';

/** OTLP's one method for logs, with the messages left as bytes: decoding is the ingest's work, off this thread. */
export const EXPORT_METHOD = {
  path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
} as const satisfies MethodDefinition<Buffer, Buffer>;
