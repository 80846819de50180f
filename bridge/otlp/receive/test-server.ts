import http2 from 'node:http2';
import { systemClock } from '../../lib/clock.ts';
import type { Releases } from '../../lib/releases.ts';
import type { OtlpServer, OtlpServerOptions, RequestOutcome } from './server.ts';
import { startOtlpServer } from './server.ts';
import { EXPORT_PATH } from './service.ts';

/** A server on a free port whose ingest takes everything at once, and what it said. */
export interface TestServer extends OtlpServer {
  readonly address: string;
  readonly taken: string[];
  readonly outcomes: RequestOutcome[];
  readonly warnings: string[];
  readonly refused: string[];
}

export async function startTestServer(
  releases: Releases,
  options: Partial<OtlpServerOptions> = {},
): Promise<TestServer> {
  const said = {
    taken: [] as string[],
    outcomes: [] as RequestOutcome[],
    warnings: [] as string[],
    refused: [] as string[],
  };
  const server = await startOtlpServer({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    reloadMs: 20,
    ingest: async (request) => {
      said.taken.push(Buffer.from(request).toString());
      return { result: 'committed' };
    },
    onRequest: (outcome) => said.outcomes.push(outcome),
    onWarning: (text) => said.warnings.push(text),
    onRefusedConnection: (why) => said.refused.push(why),
    ...options,
  });
  releases.add(() => server.drain(0));
  return { ...server, ...said, address: `127.0.0.1:${server.port}` };
}

/** A bare HTTP/2 connection, which may do what no gRPC client does. */
export function connectHttp2(releases: Releases, { port }: { readonly port: number }): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    maxSessionMemory: 1000,
    maxSendHeaderBlockLength: 1_000_000,
  });
  session.on('error', () => undefined);
  releases.add(() => session.destroy());
  return session;
}

/** One call; `ended` is its gRPC status, its HTTP status, or `reset`. */
export function openCall(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  options: http2.ClientSessionRequestOptions = {},
) {
  const call = {
    ':method': 'POST',
    ':path': EXPORT_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  };
  const stream = session.request(call, options);
  const ended = new Promise<string>((resolve) => {
    const read = (headers: http2.IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) resolve(`grpc ${String(headers['grpc-status'])}`);
      else if (headers[':status'] !== undefined && Number(headers[':status']) !== 200)
        resolve(`http ${String(headers[':status'])}`);
    };
    stream.on('response', read).on('trailers', read).resume();
    stream.on('error', () => undefined).on('close', () => resolve('reset'));
  });
  return { stream, ended };
}

/** A gRPC message frame. */
export function frame(message: Uint8Array | string, flag = 0, length?: number): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(length ?? bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}
