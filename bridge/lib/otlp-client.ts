import * as grpc from '@grpc/grpc-js';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { decodeRetryDelay, STATUS_DETAILS } from './grpc-status.ts';

/** The methods of OTLP's services. */
export const OTLP_PATHS = {
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
} as const;

// grpc-js would write its own lines to stderr; what matters of them is in the replies.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** The answer to one export: a gRPC status code (0 = acknowledged) and what it said. */
export interface ExportReply {
  readonly code: grpc.status;
  readonly details: string;
  /** From RetryInfo. */
  readonly retryAfterMs: number | undefined;
  /** ExportLogsServiceResponse, when acknowledged. */
  readonly response: Buffer | undefined;
}

export interface OtlpClient {
  /** Sends one export request, of logs by default. Never rejects: a lost connection is a reply with UNAVAILABLE. */
  export(request: Uint8Array, options?: ExportOptions): Promise<ExportReply>;
  close(): void;
}

export interface ExportOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Default: logs. */
  readonly what?: keyof typeof OTLP_PATHS;
  /** Beside those of the connection. Throws on a name or value that a header cannot have. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface OtlpClientOptions {
  readonly gzip?: boolean;
  /** Bearer token. */
  readonly token?: string;
  /** TLS; without it the connection is plain. */
  readonly credentials?: grpc.ChannelCredentials;
  /** What a server with several names is asked for in TLS; default: the host. */
  readonly serverName?: string;
}

/** An OTLP/gRPC client with a connection of its own to `host:port`; it connects with the first export. */
export function connectOtlp(
  address: string,
  { gzip = true, token, credentials = grpc.credentials.createInsecure(), serverName }: OtlpClientOptions = {},
): OtlpClient {
  const client = new grpc.Client(address, credentials, {
    'grpc.default_compression_algorithm': gzip ? grpc.compressionAlgorithms.gzip : grpc.compressionAlgorithms.identity,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    // A bridge that restarts is back within seconds: do not wait two minutes for it.
    'grpc.max_reconnect_backoff_ms': 2000,
    ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
  });
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return {
    export: (request, options = {}) => send(client, metadata, request, options),
    close: () => client.close(),
  };
}

/** `connectOtlp` to a URL, by whose scheme the connection is plain or TLS; `authority` is PEM, default what Node trusts. */
export function connectOtlpUrl(
  url: string,
  { authority, ...options }: Pick<OtlpClientOptions, 'gzip'> & { readonly authority?: Buffer | undefined } = {},
): OtlpClient {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'https:') return connectOtlp(`${hostname}:${port || '80'}`, options);
  const tls = { credentials: grpc.credentials.createSsl(authority) };
  return connectOtlp(`${hostname}:${port || '443'}`, { ...options, ...(tlsToAddress(hostname, authority) ?? tls) });
}

/** grpc-js would ask for the address as a name, which Node refuses. Its certificate has to have the address all the same. */
function tlsToAddress(
  hostname: string,
  authority: Buffer | undefined,
): Pick<OtlpClientOptions, 'credentials' | 'serverName'> | undefined {
  const address = hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(address) === 0) return undefined;
  const verify: grpc.VerifyOptions = {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(address, certificate),
  };
  return { credentials: grpc.credentials.createSsl(authority, null, null, verify), serverName: 'address.invalid' };
}

const asItIs = (bytes: Buffer): Buffer => bytes;

function send(
  client: grpc.Client,
  metadata: grpc.Metadata,
  request: Uint8Array,
  { deadlineMs = 30_000, signal, what = 'logs', headers = [] }: ExportOptions,
): Promise<ExportReply> {
  const sent = metadata.clone();
  for (const [name, value] of headers) sent.set(name, value);
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  return new Promise((resolve) => {
    const deadline = Date.now() + deadlineMs;
    const call = client.makeUnaryRequest(
      OTLP_PATHS[what],
      asItIs,
      asItIs,
      bytes,
      sent,
      { deadline },
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        resolve(error ? failure(error) : { code: grpc.status.OK, details: '', retryAfterMs: undefined, response });
      },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel);
  });
}

function failure(error: grpc.ServiceError): ExportReply {
  const status = error.metadata.get(STATUS_DETAILS)[0];
  const retryAfterMs = status instanceof Buffer ? retryDelay(status) : undefined;
  return { code: error.code, details: error.details, retryAfterMs, response: undefined };
}

/** What is not a google.rpc.Status asks for nothing. */
function retryDelay(status: Buffer): number | undefined {
  try {
    return decodeRetryDelay(status);
  } catch {
    return undefined;
  }
}
