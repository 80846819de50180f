import { expect, it } from 'vitest';
import { lastTime, readCollectorLog } from './collector-log-lines.ts';

const OLD = { level: 'error', ts: 1796077822.5, kind: 'exporter', data_type: 'traces', name: 'otlp/lifecycle-traces' };
const NEW = {
  level: 'warn',
  ts: '2026-11-30T22:30:22.5Z',
  'otelcol.component.id': 'otlp_http/lifecycle-logs',
  'otelcol.component.kind': 'exporter',
  'otelcol.signal': 'logs',
};
const AT = 1796077822500;
const text = (...lines: readonly object[]): string => lines.map((line) => JSON.stringify(line)).join('\n');

it.each([
  [
    'what is dropped',
    {
      ...OLD,
      msg: 'Exporting failed. Dropping data.',
      error: 'not retryable error: Permanent error: no',
      dropped_items: 13,
    },
    {
      what: 'refused',
      exporter: 'otlp/lifecycle-traces',
      at: AT,
      count: 13,
      why: 'not retryable error: Permanent error: no',
    },
  ],
  [
    'a part that is refused',
    { ...NEW, msg: 'Partial success response', message: 'too old', dropped_log_records: 2 },
    { what: 'refused', exporter: 'otlp_http/lifecycle-logs', at: AT, count: 2, why: 'too old' },
  ],
  [
    'a backend that is away',
    {
      ...OLD,
      msg: 'Exporting failed. Will retry the request after interval.',
      error: 'connection refused',
      interval: '3s',
    },
    { what: 'away', exporter: 'otlp/lifecycle-traces', at: AT, count: 0, why: 'connection refused' },
  ],
] as const)('%s is an answer', (_what, line, answer) => {
  expect(readCollectorLog(text(line))).toEqual([answer]);
});

it('what is not an answer of a backend is left out, and so is what is not a line of a Collector', () => {
  const lines = [
    '{"msg":"Exporting failed. Dropping data."',
    'Exporting failed',
    '["Partial success response"]',
    text({ ...OLD, msg: 'Everything is ready.' }),
    text({ ...OLD, name: 'otlp/bridge', msg: 'Exporting failed. Will retry the request after interval.' }),
    text({ ...OLD, name: undefined, msg: 'Exporting failed. Dropping data.' }),
    text({ ...OLD, ts: 'soon', msg: 'Exporting failed. Dropping data.' }),
  ];
  expect(readCollectorLog(lines.join('\n'))).toEqual([]);
});

it('words are bounded and without credentials', () => {
  const error = `rpc error to https://app:s3cret@backend ${'x'.repeat(1000)}`;
  const [answer] = readCollectorLog(text({ ...OLD, msg: 'Exporting failed. Dropping data.', error }));
  expect(answer?.why).not.toContain('s3cret');
  expect(answer?.why.length).toBeLessThanOrEqual(300);
});

it('the last line with a time says how far the log was read', () => {
  expect(lastTime(`${text(OLD, NEW)}\nnot a line`)).toBe(AT);
  expect(lastTime('nothing')).toBeUndefined();
});
