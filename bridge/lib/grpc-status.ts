import protobuf from 'protobufjs/light.js';

/** Trailer in which gRPC carries a google.rpc.Status. */
export const STATUS_DETAILS = 'grpc-status-details-bin';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

const root = protobuf.Root.fromJSON({
  nested: {
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    RetryInfo: { fields: { retryDelay: { type: 'Duration', id: 1 } } },
    Duration: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
  },
});
const Status = root.lookupType('Status');
const RetryInfo = root.lookupType('RetryInfo');

/** A google.rpc.Status with one RetryInfo: come back after `delayMs`. */
export function encodeRetryStatus(code: number, message: string, delayMs: number): Buffer {
  const retryDelay = { seconds: Math.floor(delayMs / 1000), nanos: Math.round(delayMs % 1000) * 1_000_000 };
  const value = RetryInfo.encode({ retryDelay }).finish();
  return Buffer.from(Status.encode({ code, message, details: [{ typeUrl: RETRY_INFO, value }] }).finish());
}

/** The delay in ms that a google.rpc.Status asks for; undefined without RetryInfo. Throws on malformed bytes. */
export function decodeRetryDelay(bytes: Uint8Array): number | undefined {
  const { details } = Status.toObject(Status.decode(bytes), { arrays: true }) as { details: AnyMessage[] };
  const info = details.find(({ typeUrl }) => typeUrl === RETRY_INFO);
  if (!info) return undefined;
  const { retryDelay } = RetryInfo.toObject(RetryInfo.decode(info.value), { longs: Number }) as RetryInfoMessage;
  return (retryDelay?.seconds ?? 0) * 1000 + (retryDelay?.nanos ?? 0) / 1_000_000;
}

interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}
interface RetryInfoMessage {
  readonly retryDelay?: { readonly seconds?: number; readonly nanos?: number };
}
