import { describe, expect, it } from 'vitest';
import { monitorSlug, slugOf } from './slug.ts';

const slug = (namespace: string, name: string): string => monitorSlug({ namespace, name }, 'namespaced');

describe('the slug of a monitor', () => {
  it('is the name of the CronJob where sentry-kubernetes made the monitor', () => {
    expect(monitorSlug({ namespace: 'shop', name: 'nightly-report' }, 'compatible')).toBe('nightly-report');
  });

  it('is what Sentry made of a name with dots, or of one that is too long', () => {
    expect(slugOf('report.v2')).toBe('reportv2');
    expect(slugOf('a'.repeat(52))).toBe('a'.repeat(50));
  });

  it.each(['123', '2026.01', '0'])(
    'is a namespaced one for the name %s, which Sentry would take for a number',
    (name) => {
      expect(monitorSlug({ namespace: 'shop', name }, 'compatible')).toBe(slug('shop', name));
    },
  );

  it('names namespace and CronJob, and ends with a hash of both', () => {
    expect(slug('shop', 'nightly-report')).toMatch(/^shop-nightly-report-[0-9a-f]{8}$/);
    expect(slug('shop', 'nightly-report')).toBe(slug('shop', 'nightly-report'));
  });

  it('is another one for each namespace and name, however they are cut', () => {
    const all = [
      slug('a', 'b-c'),
      slug('a-b', 'c'),
      slug('a', 'b.c'),
      slug('n', `${'x'.repeat(50)}1`),
      slug('n', `${'x'.repeat(50)}2`),
    ];
    expect(new Set(all).size).toBe(all.length);
    for (const one of all) expect(one).toMatch(/^[a-z0-9_-]{1,50}$/);
  });
});
