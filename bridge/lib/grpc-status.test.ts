import { status as known } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { status } from '../otlp/receive/service.ts';
import { decodeRetryDelay, encodeRetryStatus } from './grpc-status.ts';

test('a retry status is a google.rpc.Status with a RetryInfo, byte for byte', () => {
  const duration = [0x08, 2, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]; // 2 s, 500,000,000 ns
  const retryInfo = [0x0a, duration.length, ...duration];
  const typeUrl = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
  const any = [0x0a, typeUrl.length, ...typeUrl, 0x12, retryInfo.length, ...retryInfo];
  const expected = [0x08, 14, 0x12, 4, ...Buffer.from('wait'), 0x1a, any.length, ...any];
  expect([...encodeRetryStatus(14, 'wait', 2500)]).toEqual(expected);
});

test.each([0, 1, 999, 1000, 30_500])('a delay of %i ms survives', (delayMs) => {
  expect(decodeRetryDelay(encodeRetryStatus(14, '', delayMs))).toBe(delayMs);
});

test('a status without details asks for no delay', () => {
  expect(decodeRetryDelay(Buffer.from([0x08, 8]))).toBeUndefined();
});

test('the codes are those of gRPC', () => {
  expect(known).toMatchObject(status);
});
