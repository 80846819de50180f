import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { errorText, UserError } from '../lib/errors.ts';
import type { LocalCalls, LocalPath, LocalProblem } from './protocol.ts';
import { MAX_SOCKET_PATH, REQUESTS, socketPath } from './protocol.ts';

const MAX_BODY_BYTES = 16 * 1024;

export interface LocalServer {
  close(): Promise<void>;
}

/**
 * Takes commands on the socket beside the store, which only this user may open. Everything that changes something is
 * here and nothing of it on the page's port. The store's lock makes us the only owner of the path, so what stands there
 * is left from a crash. Throws a UserError when the socket cannot be made.
 */
export async function startLocalServer(storePath: string, calls: LocalCalls): Promise<LocalServer> {
  const path = socketPath(storePath);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new UserError(
      `the path ${path} is too long for a socket: at most ${MAX_SOCKET_PATH} bytes`,
      'Choose a shorter store.path.',
    );
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    answer(calls, request).then(
      (body) => send(response, 200, body),
      (error: unknown) => send(response, 400, { error: problem(error) }),
    );
  });
  await listen(server, path);
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  // Nobody else may connect, not even between the making of the socket and a chmod.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  try {
    await once(server, 'listening');
    chmodSync(path, 0o600);
  } catch (error) {
    throw new UserError(
      `the socket for commands cannot be made: ${errorText(error)}`,
      'Look at the folder of store.path: the bridge must be able to make files there.',
    );
  }
}

async function answer(calls: LocalCalls, request: IncomingMessage): Promise<unknown> {
  const path = request.url ?? '';
  if (request.method !== 'POST' || !isPath(path)) throw new UserError(`${request.method} ${path} is unknown`, VERSIONS);
  const body = REQUESTS[path].safeParse(await readJson(request));
  if (!body.success) throw new UserError(`${path}: the request is not valid`, VERSIONS);
  // The schema of this path was the one that parsed: the types of path and body belong together.
  const call = calls[path] as (body: unknown) => Promise<unknown>;
  return call(body.data);
}

const VERSIONS = 'Use the command line of the same release as the bridge that runs.';

function isPath(path: string): path is LocalPath {
  return Object.hasOwn(REQUESTS, path);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new UserError('the request is too long', VERSIONS);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function problem(error: unknown): LocalProblem {
  const next = error instanceof UserError ? error.next : "Look at the bridge's log.";
  return { message: errorText(error), next };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(text);
}
