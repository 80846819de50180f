import { status } from '@grpc/grpc-js';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { Releases } from '../../lib/releases.ts';
import { connectOtlp } from '../../lib/otlp-client.ts';
import { EXPORT_PATH } from './service.ts';
import type { TestServer } from './test-server.ts';
import { startTestServer } from './test-server.ts';

/** Floods of HTTP/2 frames that no client library sends: Node's and nghttp2's bounds must be on. */
let releases: Releases;

beforeEach(() => {
  releases = new Releases();
});
afterEach(() => releases.release());

const [HEADERS, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION] = [1, 4, 6, 8, 9] as const;
const END_HEADERS = 4;

function http2Frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A header that HPACK keeps in no table. */
function header(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

const CALL = Buffer.concat([
  header(':method', 'POST'),
  header(':scheme', 'http'),
  header(':path', EXPORT_PATH),
  header('content-type', 'application/grpc'),
]);
const call = (stream: number, headers: Buffer): Buffer => http2Frame(HEADERS, END_HEADERS, stream, headers);
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  http2Frame(SETTINGS, 0, 0, Buffer.alloc(0)),
]);
const times = (count: number, make: (n: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));

async function expectServed(server: TestServer): Promise<void> {
  const client = connectOtlp(server.address);
  releases.add(() => client.close());
  expect((await client.export(Buffer.from('good'), { deadlineMs: 30_000 })).code).toBe(status.OK);
}

test.each<[string, Buffer]>([
  ['pings', times(20_000, () => http2Frame(PING, 0, 0, Buffer.alloc(8)))],
  ['settings', times(20_000, () => http2Frame(SETTINGS, 0, 0, Buffer.alloc(0)))],
  [
    'one frame with many settings',
    http2Frame(
      SETTINGS,
      0,
      0,
      times(100, () => Buffer.from([0, 3, 0, 0, 0, 100])),
    ),
  ],
  [
    'headers that never end',
    Buffer.concat([
      http2Frame(HEADERS, 0, 1, CALL),
      times(20_000, () => http2Frame(CONTINUATION, 0, 1, header('x', 'y'))),
    ]),
  ],
  ['one window of nothing', Buffer.concat([call(1, CALL), http2Frame(WINDOW_UPDATE, 0, 1, Buffer.alloc(4))])],
  [
    'calls that the server itself must reset',
    times(500, (n) => call(2 * n + 1, Buffer.concat([CALL, header('X', '')]))),
  ],
])('a flood of %s ends its connection; others are served', async (_name, flood) => {
  const server = await startTestServer(releases);
  await expectServed(server);
  const socket = net
    .connect(server.port, '127.0.0.1')
    .on('error', () => undefined)
    .resume();
  releases.add(() => void socket.destroy());
  socket.write(Buffer.concat([PREFACE, flood]));
  await eventually(() => expect(socket.closed).toBe(true));
  await eventually(() => expect(server.report()).toMatchObject({ connections: 1, pendingBytes: 0 }));
  expect(server.refused).toEqual([]);
  await expectServed(server);
});
