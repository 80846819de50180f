import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../../test/vendors/otlp-receiver.ts';
import { startLogExport } from './log-export.ts';
import { createLogger, teed } from './logger.ts';

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(() => receiver.stop());

it('sends each line with its level, time and fields, and without its secrets', async () => {
  const lines: string[] = [];
  const sent = startLogExport(receiver.endpoint, 'production');
  const logger = createLogger('info', ['s3cret'], teed({ write: (line) => void lines.push(line) }, sent));
  logger.warn({ room: 'outbox', rows: 3, where: { a: 1 } }, 'the vendor says s3cret');
  logger.debug('not this one');
  await sent.stop();
  expect(receiver.logs()).toMatchObject([
    {
      body: 'the vendor says <redacted>',
      severity: 'WARN',
      attributes: { room: 'outbox', rows: 3, where: '{"a":1}' },
      resource: { 'service.name': 'lifecycle-bridge', 'k8s.cluster.name': 'production' },
    },
  ]);
  const { time } = JSON.parse(lines[0]!) as { time: string };
  expect(Number(receiver.logs()[0]!.at / 1_000_000n)).toBe(Date.parse(time));
});

it('takes any text for a line, and ends in time although the receiver refuses everything', async () => {
  receiver.refuse(status.UNAVAILABLE);
  const sent = startLogExport(receiver.endpoint, 'production');
  for (const line of ['', 'null', '[]', 'no JSON', '{"level":7}', '{"time":"x","msg":{}}']) sent.write(line);
  await expect(sent.stop()).resolves.toBeUndefined();
});
