import { beforeEach, expect, it } from 'vitest';
import { Incidents } from './incidents.ts';
import { createLogger } from './logger.ts';

const MINUTE = 60_000;
let lines: string[];
let now: number;
let incidents: Incidents;

beforeEach(() => {
  lines = [];
  now = 5 * MINUTE;
  const logger = createLogger('info', [], {
    write: (line) => {
      const { level, msg, time: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
      lines.push(`${String(level)} ${String(msg)} ${JSON.stringify(fields)}`);
    },
  });
  incidents = new Incidents(logger, () => now);
});

const fail = (reason = 'timeout'): void => incidents.seen('a', { reason }, 'fails');

it('reports a trouble when it begins and when it is over, not each time', () => {
  for (let second = 0; second < 30; second++, now += 1000) fail();
  incidents.over('a', {}, 'works again');
  incidents.over('a', {}, 'works again');
  expect(lines).toEqual(['warn fails {"reason":"timeout"}', 'info works again {"seconds":30}']);
});

it('reports again what goes on, with how often it was', () => {
  for (let minute = 0; minute < 15; minute++, now += MINUTE) fail();
  expect(lines).toEqual(['warn fails {"reason":"timeout"}', 'warn fails {"reason":"timeout","times":10}']);
});

it('reports what comes and goes once a minute at most', () => {
  for (let second = 0; second < 120; second++, now += 1000) {
    fail();
    incidents.over('a', {}, 'works again');
  }
  expect(lines.map((line) => line.slice(0, 10))).toEqual(['warn fails', 'info works', 'warn fails', 'info works']);
});

it('keeps troubles apart, and says nothing about what never failed', () => {
  fail();
  incidents.seen('b', {}, 'also', 'error');
  incidents.over('c', {}, 'works again');
  expect(lines).toEqual(['warn fails {"reason":"timeout"}', 'error also {}']);
});
