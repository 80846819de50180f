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

const pod = {
  metadata: {
    name: 'job',
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': '{"env":[{"name":"DB","value":"hunter2"}]}',
      'example.com/copy': '{"spec":{"env":[{"name":"DB","value":"hunter2"}],"message":"password=hunter2"}}',
      DB_PASSWORD: 'hunter2',
    },
    managedFields: [{ 'f:x': 'hunter2' }],
  },
  spec: {
    containers: [{ name: 'main', command: ['sh', '-c', 'a ] hunter2'], env: [{ name: 'DB', value: 'hunter2 } ]' }] }],
    other: [{ name: 'x', value: 'hunter2' }],
  },
  data: { 'tls.key': 'hunter2', more: 'a } hunter2' },
  status: { message: 'postgres://u:hunter2@db', id: 'AKIAIOSFODNN7EXAMPLE' },
  last: 'the end',
};

it('shows no copy of an object within an annotation, and no message, with its secrets', () => {
  const text = readable(bytes(pod));
  expect(text).not.toMatch(/hunter2|AKIA/);
  expect(text).toContain('postgres://[redacted]@db');
  expect(text).toContain('the end');
});

it('shows no secret of JSON that was cut anywhere', () => {
  const whole = JSON.stringify(pod);
  for (let length = 1; length <= whole.length; length++)
    expect(readable(bytes(whole.slice(0, length)))).not.toMatch(/hunter2|AKIAIOSFODNN7EXAMPLE/);
});

it('shows no value after a name of one within bytes', () => {
  const mapping = [
    'name',
    'DB_PASSWORD',
    'value',
    'hunter2',
    'password',
    'hunter2',
    'token',
    'hunter2',
    'kind',
    'Pod1',
  ];
  const text = readable(Buffer.concat(mapping.map((part) => Buffer.from(`\u0001\u0000${part}`))));
  expect(text).not.toContain('hunter2');
  expect(text).toContain('kind\nPod1');
});

it('takes time in proportion to its length', () => {
  for (const part of ['"value":"', '"env":[', '"env":{"', '\\"', '{"env":['])
    expect(readable(bytes(part.repeat(5_000))).length).toBeLessThan(200_000);
});

it('is bounded', () => {
  expect(readable(bytes('x'.repeat(100_000))).length).toBeLessThan(16_100);
});
