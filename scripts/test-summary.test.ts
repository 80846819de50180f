import { describe, expect, it } from 'vitest';
import { type Result, summaryOf } from './test-summary.ts';

type Test = Result['testResults'][number]['assertionResults'][number];

const test = (status: string, ...failureMessages: string[]): Test => ({ fullName: 'a test', status, failureMessages });
const result = (status: string, message: string, ...assertionResults: Test[]): Result => ({
  numPassedTests: assertionResults.filter((one) => one.status === 'passed').length,
  testResults: [{ name: 'a.test.ts', status, message, assertionResults }],
});

describe('the summary of all projects', () => {
  it('counts what passed, and names nothing', () => {
    const reports = ['unit', 'e2e'].map((project) => ({
      project,
      isFailed: false,
      result: result('passed', '', test('passed'), test('skipped')),
    }));
    expect(summaryOf(reports)).toEqual({ lines: ['2 passed, 0 failed'], failed: false });
  });

  it('names a test that failed, by the first line of its first message', () => {
    const broken = result('failed', '', test('failed', 'expected 1\nat a.ts', 'expected 2'), test('passed'));
    expect(summaryOf([{ project: 'e2e', isFailed: true, result: broken }])).toEqual({
      lines: ['failed: a.test.ts: a test: expected 1', '1 passed, 1 failed'],
      failed: true,
    });
  });

  it('names a test that passed at the second try as flaky, which fails nothing', () => {
    const flaky = result('passed', '', test('passed', 'not within 90 s\nat a.ts'));
    expect(summaryOf([{ project: 'e2e', isFailed: false, result: flaky }])).toEqual({
      lines: ['flaky: a.test.ts: a test: failed once: not within 90 s', '1 passed, 0 failed'],
      failed: false,
    });
  });

  it('names a file that failed outside of its tests', () => {
    const broken = result('failed', 'no cluster\nat a.ts', test('skipped'));
    expect(summaryOf([{ project: 'e2e', isFailed: true, result: broken }]).lines).toEqual([
      'failed: a.test.ts: no cluster',
      '0 passed, 1 failed',
    ]);
  });

  it('names a project that failed without a test that did, or that died before it said anything', () => {
    const line = (project: string) =>
      `failed: ${project}: no test failed, but vitest did: see the end of its output above`;
    const reports = [
      { project: 'unit', isFailed: true, result: result('passed', '', test('passed')) },
      { project: 'e2e', isFailed: true, result: undefined },
    ];
    expect(summaryOf(reports)).toEqual({
      lines: [line('unit'), line('e2e'), '1 passed, 2 failed'],
      failed: true,
    });
  });
});
