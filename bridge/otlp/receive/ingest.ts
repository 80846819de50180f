import type { Instant } from '../../lib/clock.ts';

/** What became of one export request. Only `committed` may be acknowledged. */
export type IngestResult =
  | { readonly result: 'committed' }
  /** The bytes are not an OTLP export; they are in quarantine. Sending them again is useless. */
  | { readonly result: 'undecodable'; readonly error: string }
  /** Not now: the store cannot take it. The sender keeps it and tries again. */
  | { readonly result: 'unavailable'; readonly error: string; readonly retryAfterMs: number };

/** Takes one uncompressed ExportLogsServiceRequest and answers after the durable commit. */
export type Ingest = (request: Uint8Array, receivedAt: Instant) => Promise<IngestResult>;
