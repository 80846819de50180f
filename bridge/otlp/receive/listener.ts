import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createSecureServer, createServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ConnectionLimit } from '../../lib/connection-limit.ts';
import { UserError } from '../../lib/errors.ts';
import { hostAndPort, listenHost } from '../../lib/listen-host.ts';
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
  /** A connection without an accepted call by then is ended; one that is idle for longer may be, for a new one. */
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
  const places = new Places(options);
  // Before Node's own listener, which makes a session of it at once.
  server.prependListener('connection', (socket: Socket) => places.take(socket));
  server.on('session', (session) => {
    const place = places.of(session);
    if (place === undefined) return session.destroy();
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    follow(session, place, options);
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

/** What those who wait for its place see of a connection. */
interface Place {
  used(): void;
  busy(): () => void;
}

/** Who has a connection: sockets, also those that never become a session, as in the middle of a TLS handshake. */
class Places {
  readonly #options: ListenOptions;
  readonly #limit: ConnectionLimit;
  readonly #sockets = new Map<string, Socket>();

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#limit = new ConnectionLimit(options.maxConnections, options.firstCallMs);
  }

  take(socket: Socket): void {
    const { maxConnections, onRefused } = this.#options;
    const more = `more than ${maxConnections} connections`;
    const answer = this.#limit.add(socket, () => socket.destroy());
    if (answer === 'full') {
      onRefused('limit', more);
      // Node's listener still has to see it whole.
      setImmediate(() => socket.destroy());
      return;
    }
    if (answer === 'ended') onRefused('limit', `${more}: the one that was idle for longest was ended for a new one`);
    const source = sourceOf(socket);
    this.#sockets.set(source, socket);
    socket.once('close', () => {
      this.#limit.remove(socket);
      if (this.#sockets.get(source) === socket) this.#sockets.delete(source);
    });
  }

  /** The place of a session; undefined when its socket has none. */
  of(session: ServerHttp2Session): Place | undefined {
    const socket = this.#sockets.get(sourceOf(session.socket));
    return (
      socket && {
        used: () => this.#limit.used(socket),
        busy: () => this.#limit.busy(socket),
      }
    );
  }
}

/** No two connections have the same; TLS hides the socket below, but not this. */
function sourceOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

function follow(session: ServerHttp2Session, place: Place, { firstCallMs, onStream, onRefused }: ListenOptions): void {
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
    place.used();
    clearTimeout(idle);
    return first;
  };
  session.on('stream', (stream, headers) => {
    stream.once('close', place.busy());
    onStream(stream, headers, { accept });
  });
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
    const address = hostAndPort(host, port);
    server.on('error', (error: Error) => {
      const next = 'Stop what listens there, or choose another address (otlp.host and otlp.port; record: --listen).';
      reject(new UserError(`OTLP cannot listen on ${address}: ${error.message}`, next));
    });
    server.listen(port, listenHost(host), () => resolve((server.address() as AddressInfo).port));
  });
}
