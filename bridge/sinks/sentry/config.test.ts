import { describe, expect, it } from 'vitest';
import { sentrySchema } from './config.ts';
import { cronJob } from './cron-fixtures.ts';
import { setting } from './monitor-annotations.ts';

const isTaken = (environment: string): boolean =>
  sentrySchema.safeParse({ dsn: 'https://key@o1.ingest.sentry.io/1', environment }).success;

describe('an environment', () => {
  it.each([
    ['staging', true],
    ['a b', true],
    ['x'.repeat(64), true],
    ['None of them', true],
    ['x'.repeat(65), false],
    ['', false],
    ['None', false],
    ['a/b', false],
    ['/', false],
    ['/a', false],
    ['a/', false],
    ['a\nb', false],
  ])('%j: %s, in the configuration as in an annotation', (environment, isAllowed) => {
    expect(isTaken(environment)).toBe(isAllowed);
    expect(setting(cronJob({ environment }), 'environment')).toBe(isAllowed ? environment : undefined);
  });
});
