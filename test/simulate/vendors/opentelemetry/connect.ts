import { status } from '@grpc/grpc-js';
import type { ExportReply } from '../../../../bridge/lib/otlp-client.ts';
import { OTLP_PATHS } from '../../../../bridge/lib/otlp-client.ts';
import type { Http, HttpResult } from '../../../../bridge/sinks/http.ts';
import type { OtlpConfig } from '../../../../bridge/sinks/otlp/config.ts';
import type { Connection } from '../../../../bridge/sinks/otlp/connect.ts';

/** As the real one waits. */
const DEADLINE_MS = 20_000;

/** What gRPC makes of what happens on the way, and of an answer that is not gRPC's. */
const CODES: Readonly<Record<number, status>> = {
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  429: status.RESOURCE_EXHAUSTED,
  // The receiver has a fault that may pass: what it would not try again itself, no client may.
  500: status.ABORTED,
};

/** Exports that go the way of all requests of the simulation. */
export function connectOver(http: Http, { endpoint, headers = '' }: OtlpConfig): Connection {
  const [name = '', value = ''] = headers.split(': ');
  return {
    export: async (what, body, signal) => {
      const url = new URL(OTLP_PATHS[what], endpoint).href;
      const headers = { [name]: value };
      return replyOf(await http.request({ method: 'POST', url, headers, body, timeoutMs: DEADLINE_MS, signal }));
    },
    clean: (text) => text.replaceAll(value, '***'),
    close: () => undefined,
  };
}

function replyOf(result: HttpResult): ExportReply {
  const failed = (code: status, retryAfterMs?: number, details = 'simulated'): ExportReply => {
    return { code, details, retryAfterMs, response: undefined };
  };
  if (result.kind === 'failed') {
    if (result.reason === 'timeout') return failed(status.DEADLINE_EXCEEDED);
    if (result.reason === 'shutting_down') return failed(status.CANCELLED);
    // As grpc-js says it.
    const details = result.unknown ? 'Connection dropped' : 'No connection established';
    return failed(status.UNAVAILABLE, undefined, details);
  }
  if (result.status === 200)
    return { code: status.OK, details: '', retryAfterMs: undefined, response: Buffer.from(result.body) };
  const seconds = result.headers['retry-after'];
  return failed(
    CODES[result.status] ?? status.UNAVAILABLE,
    seconds === undefined ? undefined : Number(seconds) * 1_000,
  );
}
