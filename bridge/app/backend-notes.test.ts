import { afterEach, expect, it } from 'vitest';
import { FakeApi } from '../cluster/fake-api.ts';
import { Releases } from '../lib/releases.ts';
import { createLogger } from '../telemetry/logger.ts';
import { startBackendNotes } from './backend-notes.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const releases = new Releases();
afterEach(() => releases.release());

it('a backend that was away is one line of the log when it begins, and one when it takes again, with the pod that says so', async () => {
  const api = new FakeApi();
  let [now, text] = [NOW, ''];
  api.intercept = (path) => (path.includes('/log') ? { status: 200, body: text } : undefined);
  releases.add(() => api.stop());
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger('info', [], { write });
  const counted: [string, number][] = [];
  const metrics = { backendRefused: (exporter: string, count: number) => void counted.push([exporter, count]) };
  const clock = { now: () => now };
  const given = { api: await api.start(), clock, logger, metrics, pods: ['ops/lb-collector-0'], everyMs: 1 };
  startBackendNotes(given, releases);

  const said = (seconds: number, fields: object): string =>
    JSON.stringify({ ts: NOW / 1000 + seconds, name: 'otlp/lifecycle-traces', ...fields });
  const retried = { msg: 'Exporting failed. Will retry the request after interval.', error: 'connection refused' };
  const dropped = { msg: 'Exporting failed. Dropping data.', error: 'Permanent error: no', dropped_items: 3 };
  text = [said(-100, retried), said(-70, dropped), said(-40, retried)].join('\n');
  await expect.poll(() => lines).toHaveLength(2);
  now += 120_000;
  await expect.poll(() => lines).toHaveLength(3);

  const of = { exporter: 'otlp/lifecycle-traces', pod: 'ops/lb-collector-0' };
  expect(lines).toMatchObject([
    { level: 'warn', msg: expect.stringContaining('does not take'), ...of, why: 'connection refused' },
    { level: 'error', msg: expect.stringContaining('lost there'), ...of, count: 3 },
    { level: 'info', msg: expect.stringContaining('takes again'), ...of, seconds: 60, refused: 3 },
  ]);
  expect(counted).toEqual([['otlp/lifecycle-traces', 3]]);
});
