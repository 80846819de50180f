import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttp } from './http.ts';
import type { HttpRequest } from './http.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

const serve = async (listener: RequestListener) => `http://${await listen(createHttpServer(listener))}`;

function client(env: NodeJS.ProcessEnv = {}) {
  const http = createHttp(env);
  cleanups.push(() => http.close());
  return (request: Partial<HttpRequest> & { url: string }) =>
    http.request({ method: 'POST', timeoutMs: 30_000, ...request });
}

describe('an answer', () => {
  it('has status, headers and body, whatever the status', async () => {
    const url = await serve((request, response) => {
      request.pipe(response.writeHead(418, { 'x-header': request.headers['x-sent'] }));
    });
    expect(await client()({ url, headers: { 'x-sent': 'yes' }, body: 'tea' })).toMatchObject({
      kind: 'answer',
      status: 418,
      headers: { 'x-header': 'yes' },
      body: 'tea',
      complete: true,
    });
  });

  it('that redirects is not followed', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await client()({ url })).toMatchObject({ kind: 'answer', status: 302 });
  });

  it('is cut at the limit', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(3 * 1024 * 1024)));
    expect(await client()({ url, maxBytes: 10 })).toMatchObject({ body: 'x'.repeat(10), complete: false });
    const result = await client()({ url });
    expect(result.kind === 'answer' && result.body.length).toBe(1024 * 1024);
  });

  it('whose connection ends within the body still has its status', async () => {
    const url = await serve((_, response) => {
      response.writeHead(201, { 'content-length': '100' }).write('half', () => response.destroy());
    });
    expect(await client()({ url })).toMatchObject({ kind: 'answer', status: 201, complete: false });
  });

  it('whose body does not end in time still has its status', async () => {
    const url = await serve((_, response) => void response.writeHead(200).write('slow'));
    expect(await client()({ url, timeoutMs: 1_000 })).toMatchObject({ status: 200, body: 'slow', complete: false });
  });

  it('leaves its connection to the next request', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const request = client();
    for (let i = 0; i < 10; i++) await request({ url });
    expect(ports.size).toBeLessThan(3);
  });
});

describe('a failure', () => {
  it('before anything was written has a known outcome: refused', async () => {
    const host = await listen(createTcpServer());
    for (const cleanup of cleanups.splice(0)) await cleanup();
    expect(await client()({ url: `http://${host}/secret` })).toEqual({
      kind: 'failed',
      reason: 'connection_failed',
      detail: 'ECONNREFUSED',
      unknown: false,
    });
  });

  it('before anything was written has a known outcome: no such host', async () => {
    const result = await client()({ url: 'http://host.invalid/secret' });
    expect(result).toMatchObject({ reason: 'connection_failed', unknown: false });
    expect(JSON.stringify(result)).not.toMatch(/host\.invalid|secret/);
  });

  it('before anything was written has a known outcome: no TLS', async () => {
    const host = await listen(createTcpServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400\r\n\r\n')));
    expect(await client()({ url: `https://${host}/` })).toMatchObject({ reason: 'connection_failed', unknown: false });
  });

  it.each(['no url', 'http://127.0.0.1:1/'])('of a request that cannot be made does not throw: %s', async (url) => {
    const result = await client()({ url, headers: { authorization: 'secret\n' } });
    expect(result).toMatchObject({ reason: 'connection_failed', unknown: false });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('after the request was written has an unknown outcome: reset', async () => {
    const host = await listen(createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
    expect(await client()({ url: `http://${host}/` })).toMatchObject({ reason: 'answer_lost', unknown: true });
  });

  it('after the request was written has an unknown outcome: no answer in time', async () => {
    const url = await serve(() => {});
    const result = await client()({ url, timeoutMs: 1_000 });
    expect(result).toMatchObject({ reason: 'timeout', unknown: true });
  });

  it('of a connection that is never made in time has a known outcome', async () => {
    const silent = await listen(createTcpServer());
    const result = await client()({ url: `https://${silent}/`, timeoutMs: 50 });
    expect(result).toMatchObject({ reason: 'connection_failed', unknown: false });
  });

  it('is distinguished from being stopped', async () => {
    const stop = new AbortController();
    const url = await serve((request, response) => (request.url === '/stop' ? stop.abort() : response.end()));
    const request = client();
    const stopped = { kind: 'failed', reason: 'shutting_down' };
    expect(await request({ url: `${url}/stop`, signal: stop.signal })).toMatchObject({ ...stopped, unknown: true });
    await request({ url });
    expect(await request({ url, signal: stop.signal })).toMatchObject({ ...stopped, unknown: false });
  });
});

describe('the proxy variables', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('%s is used, with or without a scheme', async (name) => {
    const seen: (string | undefined)[] = [];
    const proxy = createHttpServer((request, response) => {
      seen.push(request.url);
      response.end('by the proxy');
    });
    proxy.on('connect', (request, socket) => {
      seen.push(request.url);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    const host = await listen(proxy);
    await client({ [name]: `http://${host}` })({ url: 'http://vendor.invalid/' });
    await client({ [name]: host })({ url: 'http://vendor.invalid/' });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toContain('vendor.invalid');
  });

  it.each(['NO_PROXY', 'no_proxy'])('%s goes around it', async (name) => {
    const url = await serve((_, response) => response.end('direct'));
    const env = { HTTP_PROXY: 'http://proxy.invalid:1', [name]: '127.0.0.1' };
    expect(await client(env)({ url })).toMatchObject({ body: 'direct' });
  });

  it('that are not URLs are a clear error without their value', () => {
    expect(() => createHttp({ HTTP_PROXY: 'http://user:password@:bad:' })).toThrow(
      /HTTP_PROXY or HTTPS_PROXY is not a/,
    );
  });
});
