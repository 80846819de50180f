import { status } from '@grpc/grpc-js';
import type { ExportReply } from '../../lib/otlp-client.ts';
import { errorText } from '../../lib/errors.ts';
import type { Delivery } from '../sink.ts';

/** By the OTLP specification: of these the client may try again, of others not. */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);
const UNREACHABLE_MS = 10_000;
/** What grpc-js says where no status of the receiver came: nothing was sent, or nobody knows what became of it. */
const NOT_SENT = /^(No connection established|Name resolution failed|Stream refused by server)/;
const LOST =
  /^(Connection dropped|Received RST_STREAM|Bandwidth exhausted or memory limit|No status information|read E|write E)/;
/** An answer, but of something that speaks no gRPC, such as a proxy. */
const NOT_GRPC = /^Received (HTTP status code|message larger than max)/;

/** What a response says of a part that was refused: nothing when all was taken. */
export type ReadRejected = (response: Uint8Array) => { readonly rejected: number; readonly why: string };

/**
 * What an answer means. A partial success is a drop: the receiver says that sending it again is useless. `everything`: how
 * many records were sent, for the text.
 */
export function deliveryOf(reply: ExportReply, everything: number, read: ReadRejected, address: string): Delivery {
  const { code, details, retryAfterMs, response } = reply;
  if (code === status.OK) return ofResponse(response ?? new Uint8Array(), everything, read);
  const detail = `gRPC ${status[code] ?? code}: ${details}`;
  const hold = { key: address };
  const pause = { afterMs: retryAfterMs ?? UNREACHABLE_MS, hold };
  if (LOST.test(details)) return { outcome: 'retry', reason: 'answer_lost', detail, ...pause, unknown: true };
  if (NOT_SENT.test(details))
    return { outcome: 'retry', reason: 'connection_failed', detail, ...pause, unknown: false };
  if (code === status.UNAVAILABLE) return { outcome: 'retry', reason: 'server_error', detail, ...pause };
  if (code === status.DEADLINE_EXCEEDED)
    return { outcome: 'retry', reason: 'timeout', detail, ...pause, unknown: true };
  if (code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined)
    return { outcome: 'retry', reason: 'rate_limited', detail, ...pause };
  if (RETRYABLE.has(code)) return { outcome: 'retry', reason: 'server_error', detail, ...pause };
  if (code === status.UNAUTHENTICATED) return { outcome: 'retry', reason: 'unauthorized', detail, ...pause };
  if (code === status.PERMISSION_DENIED) return { outcome: 'retry', reason: 'forbidden', detail, ...pause };
  if (NOT_GRPC.test(details)) return { outcome: 'retry', reason: 'bad_answer', detail, ...pause };
  return { outcome: 'drop', reason: 'bad_request', detail };
}

function ofResponse(response: Uint8Array, everything: number, read: ReadRejected): Delivery {
  let said: ReturnType<ReadRejected>;
  try {
    said = read(response);
  } catch (error) {
    return { outcome: 'retry', reason: 'bad_answer', detail: errorText(error) };
  }
  const { rejected, why } = said;
  if (rejected > 0) {
    const detail = `${rejected} of ${everything} refused: ${why}`;
    return { outcome: 'drop', reason: 'bad_request', detail, refused: rejected };
  }
  return why === '' ? { outcome: 'delivered' } : { outcome: 'delivered', detail: `the receiver warns: ${why}` };
}
