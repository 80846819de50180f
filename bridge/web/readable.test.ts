import { expect, it } from 'vitest';

import { readable } from './readable.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

it('shows JSON indented, without what looks like a secret', () => {
  const text = readable(
    bytes({
      metadata: { name: 'job', password: 'hunter2', note: 'https://ada:hunter2@host/x' },
      spec: { containers: [{ env: [{ name: 'A', value: 'hunter2' }], args: ['--x', 'hunter2'] }] },
      log: 'curl -H "Authorization: Bearer hunter2" --data api_key=hunter2',
    }),
  );
  expect(text).toContain('"name": "job"');
  expect(text).not.toContain('hunter2');
});

it('shows the text within bytes that are none', () => {
  const text = readable(
    Buffer.concat([
      Buffer.from([0, 1, 255]),
      Buffer.from('kind Pod'),
      Buffer.from([0, 7]),
      Buffer.from('token=hunter2'),
    ]),
  );
  expect(text).toBe('kind Pod\ntoken=[redacted]');
});

it('is bounded', () => {
  expect(readable(bytes('x'.repeat(100_000))).length).toBeLessThan(16_100);
});
