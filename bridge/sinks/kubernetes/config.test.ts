import { describe, expect, it } from 'vitest';
import { configSchema } from '../../config/schema.ts';
import { kubernetesSchema } from './config.ts';
import { kubernetes } from './module.ts';
import { rfc3339 } from './rfc3339.ts';

describe('a destination', () => {
  it('needs no setting', () => {
    expect(kubernetesSchema.parse({})).toMatchObject({ trigger: 'addtime', result: 'timestamp', timeZone: 'UTC' });
  });

  it.each([
    { trigger: 'a.b/C_d-e.f' },
    { result: `${'a'.repeat(200)}.example/x` },
    { timeZone: 'Europe/Berlin' },
    { timeZone: 'Etc/GMT-14' },
  ])('may be %o', (settings) => {
    expect(kubernetesSchema.safeParse(settings).success).toBe(true);
  });

  it.each([
    { trigger: '' },
    { trigger: 'has space' },
    { trigger: 'example.com/' },
    { trigger: '/x' },
    { trigger: 'a/b/c' },
    { trigger: 'Example.com/x' },
    { result: 'x'.repeat(64) },
    { result: `${'a'.repeat(254)}/x` },
    { result: 'addtime' },
    { timeZone: 'Mars/Phobos' },
    { timeZone: '' },
    { timeZone: 'Local' },
    { value: 'now' },
    { namespaces: ['Shop'] },
    { result: 'ok', unknown: 1 },
  ])('is refused as %o', (settings) => {
    expect(kubernetesSchema.safeParse(settings).success).toBe(false);
  });

  it('is refused where the bridge runs without the Kubernetes API, with what is allowed', async () => {
    const config = configSchema.parse({ kubernetes: { default: {} } }).kubernetes['default']!;
    const deps = {
      http: {} as never,
      clock: { now: () => 0 },
      log: { info: () => undefined },
      kube: undefined,
      clusterName: 'c',
      pageUrl: undefined,
    };
    await expect(kubernetes.deliverer('default', config, deps)).rejects.toThrow(
      /kubernetes\.default .* cluster\.list is false/,
    );
  });
});

it.each([
  ['UTC', '2026-01-05T12:00:00.999Z', '2026-01-05T12:00:00Z'],
  ['Europe/London', '2026-01-05T12:00:00Z', '2026-01-05T12:00:00Z'],
  ['Europe/London', '2026-07-05T12:00:00Z', '2026-07-05T13:00:00+01:00'],
  ['America/New_York', '2021-05-31T01:30:23Z', '2021-05-30T21:30:23-04:00'],
  ['Asia/Kolkata', '2026-12-31T23:59:59Z', '2027-01-01T05:29:59+05:30'],
  ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30'],
])('in %s the instant %s is written as %s', (zone, at, text) => {
  expect(rfc3339(Date.parse(at), zone)).toBe(text);
});
