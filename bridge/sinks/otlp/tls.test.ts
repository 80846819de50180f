import { ServerCredentials } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../../test/vendors/otlp-receiver.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Deliverer, Delivery } from '../sink.ts';
import { otlpSchema } from './config.ts';
import { createOtlpDeliverer } from './deliver.ts';

const TLS = join(import.meta.dirname, '../../../test/fixtures/tls');
const credentials = ServerCredentials.createSsl(null, [
  { cert_chain: readFileSync(join(TLS, 'server-1.pem')), private_key: readFileSync(join(TLS, 'server-1.key')) },
]);
const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await startOtlpReceiver(0, '127.0.0.1', credentials);
  releases.push(() => receiver.stop());
});

function deliverer(settings: object): Deliverer {
  const config = otlpSchema.parse({ endpoint: receiver.endpoint, ...settings });
  const made = createOtlpDeliverer('x', config, { clock: systemClock, clusterName: 'production', pageUrl: undefined });
  releases.push(() => made.close?.());
  return made;
}

const check = (settings: object): Promise<Delivery> => deliverer(settings).check!(new AbortController().signal);
const at = (host: string): string => receiver.endpoint.replace('127.0.0.1', host);

it.each(['127.0.0.1', 'localhost'])(
  'a receiver at https://%s is reached with the authority of caFile',
  async (host) => {
    expect(await check({ endpoint: at(host), caFile: join(TLS, 'ca.pem') })).toEqual({ outcome: 'delivered' });
  },
);

const WAITS = { outcome: 'retry', reason: 'connection_failed' };

it.each([
  ['of another authority', { caFile: join(TLS, 'other-ca.pem') }],
  ['that no authority of the system signed', {}],
])('with a certificate %s everything waits', async (_, settings) => {
  expect(await check(settings)).toMatchObject(WAITS);
});

it('with a certificate for another address everything waits', async () => {
  const other = await startOtlpReceiver(0, '127.0.0.2', credentials);
  releases.push(() => other.stop());
  expect(await check({ endpoint: other.endpoint, caFile: join(TLS, 'ca.pem') })).toMatchObject(WAITS);
});

it('where TLS is spoken to plain text, or plain text to TLS, everything waits', async () => {
  const plain = await startOtlpReceiver();
  releases.push(() => plain.stop());
  expect(await check({ endpoint: plain.endpoint.replace('http', 'https') })).toMatchObject(WAITS);
  expect(await check({ endpoint: receiver.endpoint.replace('https', 'http') })).toMatchObject(WAITS);
});

it.each([
  ['without a certificate', 'not a certificate'],
  ['in DER', new X509Certificate(readFileSync(join(TLS, 'ca.pem'))).raw],
])('a caFile %s is an error at the start', (_, content) => {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-ca-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, content);
  expect(() => deliverer({ caFile })).toThrow('caFile holds no certificate (PEM)');
});
