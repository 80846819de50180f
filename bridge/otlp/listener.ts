import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createSecureServer, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { UserError } from '../lib/errors.ts';
import type { TlsMaterial } from './tls-files.ts';

/** HTTP/2's default of 64 KiB stops the sender after a few objects; the node benchmark doubles with a large one. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const MAX_STREAMS = 128;
/** A Collector's connection lives for months: find out within 80 s when its node is gone, never end it for its age. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const HANDSHAKE_MS = 10_000;

/**
 * Node's own bounds against rapid reset and floods of headers, settings and pings: a good client is far below each. The
 * headers of a call are at most 64 KiB by nghttp2's own bound.
 */
const HTTP2_LIMITS = {
  settings: {
    initialWindowSize: WINDOW_BYTES,
    maxConcurrentStreams: MAX_STREAMS,
    enablePush: false,
  },
  maxHeaderListPairs: 64,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxSettings: 32,
  maxOutstandingPings: 10,
  /** Megabytes of headers and unread data; a refusal by it is one that the Collector takes as final, so it is ample. */
  maxSessionMemory: 32,
  streamResetBurst: 200,
  streamResetRate: 33,
  unknownProtocolTimeout: HANDSHAKE_MS,
} as const;

export type RefusedConnection = 'limit' | 'tls' | 'no_call';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** A connection without an accepted call by then is ended. */
  readonly firstCallMs: number;
  readonly tls: TlsMaterial | undefined;
  readonly requireClientCertificate: boolean;
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection) => void;
  readonly onRefused: (why: RefusedConnection, detail: string) => void;
}

/** One HTTP/2 connection. */
export interface Connection {
  /** True for the first accepted call; from then on the connection may be idle. */
  accept(): boolean;
}

export interface Listener {
  readonly port: number;
  readonly connections: number;
  /** New connections get this certificate; those that exist keep theirs. */
  useTls(material: TlsMaterial): void;
  /** No new connections; each ends after its last call. */
  close(): Promise<void>;
  destroy(): void;
}

/** Listens for HTTP/2, with or without TLS. Throws a `UserError` when it cannot. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const sessions = new Set<ServerHttp2Session>();
  const { server, useTls } = create(options);
  server.maxConnections = options.maxConnections;
  server.on('drop', () => options.onRefused('limit', `more than ${options.maxConnections} connections`));
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    follow(session, options);
  });
  server.on('sessionError', () => undefined);
  const port = await bind(server, options);
  return {
    port,
    useTls,
    get connections() {
      return sessions.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      await closed;
    },
    destroy() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

function create({ tls, requireClientCertificate, onRefused }: ListenOptions): {
  server: Http2Server;
  useTls: (material: TlsMaterial) => void;
} {
  if (tls === undefined) return { server: createServer(HTTP2_LIMITS), useTls: () => undefined };
  const server = createSecureServer({
    ...HTTP2_LIMITS,
    ...tls.context,
    requestCert: requireClientCertificate,
    rejectUnauthorized: requireClientCertificate,
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => undefined));
  server.on('tlsClientError', (error, socket) => {
    onRefused('tls', error.message);
    socket.destroy();
  });
  return { server, useTls: ({ context }) => server.setSecureContext(context) };
}

function follow(session: ServerHttp2Session, { firstCallMs, onStream, onRefused }: ListenOptions): void {
  session.on('error', () => undefined);
  session.setLocalWindowSize(WINDOW_BYTES);
  let accepted = false;
  let ending: NodeJS.Timeout | undefined;
  const idle = setTimeout(() => {
    onRefused('no_call', `no accepted call within ${firstCallMs} ms`);
    session.close();
    ending = setTimeout(() => session.destroy(), HANDSHAKE_MS);
  }, firstCallMs);
  const alive = setInterval(() => ping(session), KEEPALIVE_MS);
  session.once('close', () => {
    clearTimeout(idle);
    clearTimeout(ending);
    clearInterval(alive);
  });
  const accept = (): boolean => {
    const first = !accepted;
    accepted = true;
    clearTimeout(idle);
    return first;
  };
  session.on('stream', (stream, headers) => onStream(stream, headers, { accept }));
}

function ping(session: ServerHttp2Session): void {
  if (session.destroyed) return;
  const timer = setTimeout(() => session.destroy(), KEEPALIVE_TIMEOUT_MS);
  session.once('close', () => clearTimeout(timer));
  session.ping((error) => {
    if (!error) clearTimeout(timer);
  });
}

function bind(server: Http2Server, { host, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    server.on('error', (error: Error) => {
      const next = 'Stop what listens there, or choose another address (otlp.host and otlp.port; record: --listen).';
      reject(new UserError(`OTLP cannot listen on ${address}: ${error.message}`, next));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
