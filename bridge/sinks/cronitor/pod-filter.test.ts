import { describe, expect, it } from 'vitest';
import { cronitorSchema } from './config.ts';
import { podFilter } from './pod-filter.ts';

describe('a pod filter', () => {
  it.each([
    ['', 'anything', true],
    ['report', 'shop-report-1', true],
    ['^report-', 'shop-report-1', false],
    ['^(report|cleanup)-[0-9]+', 'cleanup-42-abcde', true],
    ['^[^r]', 'report-1', false],
    ['(?i)^REPORT', 'report-1', true],
    ['(?i:REPORT)-\\d', 'report-1', true],
    ['(?P<name>report)-', 'report-1', true],
    ['r(?:ep|un)', 'run-1', true],
    ['report\\-1\\b', 'report-1-x', true],
    ['\\(?=', 'a=b', true],
  ])('%s on %s: %s', (source, name, matches) => {
    expect(podFilter(source)(name)).toBe(matches);
  });

  it.each([
    ['(?!report)', 'look-around'],
    ['a(?=b)', 'look-around'],
    ['(?<!a)b', 'look-around'],
    ['(?<=a)b', 'look-around'],
    ['(a)\\1', 'back-reference'],
    ['(?<n>a)\\k<n>', 'back-reference'],
    ['a(?i)b', '(?i) is not known here'],
    ['(?U)a', '(?U) is not known here'],
    ['\\Areport\\z', '\\A is not known here'],
    ['\\pL', '\\p is not known here'],
    ['\\Qa.b\\E', '\\Q is not known here'],
    ['[[:alpha:]]', 'is not known here'],
    ['[]a]', '[] is not known here'],
    ['[\\z]', '\\z is not known here'],
    ['report(', 'Invalid regular expression'],
    ['*report', 'Invalid regular expression'],
    ['a++', 'Invalid regular expression'],
    ['report\\', 'Invalid regular expression'],
  ])('%s is a mistake of the configuration that says %s', (source, message) => {
    const { issues = [] } = cronitorSchema.safeParse({ apiKey: 'a', podFilter: source }).error ?? {};
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'custom', path: ['podFilter'] });
    expect(issues[0]!.message).toContain('allowed: a regular expression that RE2 has too');
    expect(issues[0]!.message).toContain(message);
  });
});
