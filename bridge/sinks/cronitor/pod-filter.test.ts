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
    ['re(?i)PORT', 'report-1', true],
    ['\\Areport\\z', 'report-1', false],
    ['[[:alpha:]]-\\d', 'report-1', true],
    ['\\Qr.port\\E', 'report-1', false],
  ])('%s on %s: %s', (source, name, matches) => {
    expect(podFilter(source)(name)).toBe(matches);
  });

  it.each(['^(([a-z0-9])+.?)+$', '(x+x+)+y', '(a|a)*$', '(.*a){20}', '^(a?){50}a{50}$'])(
    '%s takes no longer for a name that nearly matches',
    (source) => {
      const began = performance.now();
      expect(podFilter(source)(`${'a'.repeat(120)}${'x'.repeat(120)}--!`)).toBeTypeOf('boolean');
      // A backtracking engine needs years.
      expect(performance.now() - began).toBeLessThan(20_000);
    },
  );

  it.each([
    ['(?!report)', 'invalid or unsupported Perl syntax: `(?!`'],
    ['a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(?<!a)b', 'invalid named capture'],
    ['(?<=a)b', 'invalid named capture'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['(?<n>a)\\k<n>', 'invalid escape sequence: `\\k`'],
    ['[\\z]', 'invalid escape sequence: `\\z`'],
    ['report(', 'missing closing )'],
    ['*report', 'missing argument to repetition operator'],
    ['a++', 'invalid nested repetition operator'],
    ['report\\', 'trailing backslash'],
    ['(a{1000}){1000}', 'invalid repeat count'],
  ])('%s is a mistake of the configuration that says %s', (source, message) => {
    const { issues = [] } = cronitorSchema.safeParse({ apiKey: 'a', podFilter: source }).error ?? {};
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ code: 'custom', path: ['podFilter'] });
    expect(issues[0]!.message).toContain('allowed: a regular expression as RE2 has it');
    expect(issues[0]!.message).toContain(message);
  });
});
