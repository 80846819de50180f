import { expect, it } from 'vitest';
import { guessWorkload, withoutAdded, withoutGenerated } from './generated-names.ts';
import { messageShape } from './message-shape.ts';
import { releaseOf, tagOf } from './release.ts';
import { podFacts } from '../../../test/fixtures/facts.ts';

it.each([
  [
    'Back-off restarting failed container app in pod web-7d9f8b6c5d-x2x4z_shop(0d5f6a3e-6a53-4f0e-9d3c-0f3a1c2b4d5e)',
    'Back-off restarting failed container app in pod web-<pod>_shop(<uid>)',
  ],
  ['0/12 nodes are available: 3 Insufficient cpu', '#/# nodes are available: # Insufficient cpu'],
  ['dial tcp 10.4.1.17:8080: connect: connection refused', 'dial tcp <ip>: connect: connection refused'],
  ['dial tcp [fd00::12]:8080: i/o timeout', 'dial tcp <ip>: i/o timeout'],
  ['route to fe80::1ff:fe23:4567:890a lost', 'route to <ip> lost'],
  ['image shop/web@sha256:0123456789abcdef0123456789abcdef is gone', 'image shop/web@<digest> is gone'],
  ['exceeded after 5m0s and 1.5s, used 12% of 512Mi', 'exceeded after # and #, used # of #'],
  ['Startup probe failed: HTTP probe failed with statuscode: 503', 'Startup probe failed'],
  ['ingress-v1 wants http2 and utf8', 'ingress-v1 wants http2 and utf8'],
  ['at 2026-01-05T10:00:00.123Z:  twice  ', 'at <time>: twice'],
])('the shape of "%s" is "%s"', (message, shape) => {
  expect(messageShape(message, [])).toBe(shape);
});

it('a name that comes and goes is taken out wherever it stands', () => {
  expect(messageShape('pod report-1-abcde of report-1 failed', ['report-1', 'report-1-abcde'])).toBe(
    'pod <name> of <name> failed',
  );
});

it('the shape of 100,000 characters is made at once', () => {
  for (const unit of ['a-', '1.2.3.', 'f:', '[::', '-bcdfg', '0123456789abcdef', '5m0s']) {
    const text = unit.repeat(100_000 / unit.length);
    const before = performance.now();
    messageShape(text, [text.slice(0, 10)]);
    expect(performance.now() - before).toBeLessThan(5_000);
  }
});

it.each([
  ['migrate-x2x4z', 'migrate'],
  ['backup-20260105-0200', 'backup'],
  ['build-4711', 'build'],
  ['deploy-3f9a1c7', 'deploy'],
  ['web-v2', 'web-v2'],
  ['nginx', 'nginx'],
  ['12345', '12345'],
])('the name %s is grouped as %s', (name, grouped) => {
  expect(withoutGenerated(name)).toBe(grouped);
});

it.each([
  [{ name: 'backup-mysql' }, 'backup-mysql'],
  [{ name: 'proxy-https' }, 'proxy-https'],
  [{ name: 'backup-mysql-20260105' }, 'backup-mysql'],
  [{ name: 'migrate-x2x4z', generateName: 'migrate-' }, 'migrate'],
  [{ name: 'migrate-42-x2x4z', generateName: 'migrate-42-' }, 'migrate-42'],
  [{ name: 'migrate-4711-x2x4z', generateName: 'migrate-4711-' }, 'migrate'],
  [{ name: 'x2x4z', generateName: '' }, 'x2x4z'],
])('an object %j that was seen is grouped as %s', (object, grouped) => {
  expect(withoutAdded(object)).toBe(grouped);
});

it.each([
  ['web-7d9f8b6c5d-x2x4z', 'Deployment', 'web'],
  ['report-29500001-x2x4z', 'CronJob', 'report'],
  ['ledger-0', 'Pod', 'ledger-0'],
])('a pod %s that was never seen is taken for one of %s %s', (name, kind, workload) => {
  expect(guessWorkload({ kind: 'Pod', name })).toEqual({ kind, name: workload });
});

it.each([
  ['shop/web:1.2.3', '1.2.3'],
  ['registry:5000/shop/web', undefined],
  ['registry:5000/shop/web:v7@sha256:abc', 'v7'],
  ['shop/web@sha256:abc', undefined],
  ['shop/web:latest', undefined],
  ['', undefined],
])('the release of the image "%s" is %s', (image, release) => {
  expect(tagOf(image)).toBe(release);
});

it('a label says the release before the image does, and a setting before both', () => {
  const labelled = podFacts({ labels: { 'app.kubernetes.io/version': '7.1' } });
  expect(releaseOf('auto', [podFacts(), labelled], 'web:2')).toBe('7.1');
  expect(releaseOf('auto', [podFacts()], 'web:2')).toBe('2');
  expect(releaseOf('shop@9', [labelled], 'web:2')).toBe('shop@9');
  expect(releaseOf('none', [labelled], 'web:2')).toBeUndefined();
});
