import { expect, it } from 'vitest';
import { isOwnAnnotation, keeping, schemaWith } from './annotations.ts';
import { plansOf, readerOf } from './kinds.ts';

const object = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: {
    uid: 'u',
    annotations: {
      'vendor.example/key': 'k',
      'exact.example/one': '1',
      'exact.example/other': '2',
      'vendor.example/token': 'abcd1234efgh5678',
      'team.example/note': 'password',
      'batch.kubernetes.io/x': 'own',
    },
  },
};

it('only what a sink reads is kept: names, everything below a name that ends with /, and what the readers need', () => {
  const keeps = keeping(['vendor.example/', 'exact.example/one']);
  const annotations = readerOf(['CronJob'], keeps)(object)?.annotations;
  expect(annotations).toMatchObject({
    'vendor.example/key': 'k',
    'exact.example/one': '1',
    'batch.kubernetes.io/x': 'own',
  });
  expect(annotations).not.toHaveProperty(['exact.example/other']);
  expect(annotations).not.toHaveProperty(['team.example/note']);
  expect(readerOf(['CronJob'])(object)?.annotations).toEqual({ 'batch.kubernetes.io/x': 'own' });
});

it('what is kept is redacted like any other text', () => {
  const annotations = readerOf(['CronJob'], keeping(['vendor.example/']))(object)?.annotations;
  expect(annotations?.['vendor.example/token']).not.toContain('abcd1234');
});

it('the decoder makes what is kept', () => {
  const plan = plansOf(['Pod'], keeping(['vendor.example/'])).get('v1/Pod') as {
    metadata: { annotations: (key: string) => boolean };
  };
  expect(['vendor.example/a', 'batch.kubernetes.io/a', 'other'].map(plan.metadata.annotations)).toEqual([
    true,
    true,
    false,
  ]);
  expect(isOwnAnnotation('vendor.example/a')).toBe(false);
});

it.each([
  ['https://0123abcd@o1.ingest.example/42', 'https://0123abcd@o1.ingest.example/42'],
  [' https://0123abcd:hunter2@host.example:9000/path/42\n', 'https://0123abcd@host.example:9000/path/42'],
  ['https://0123abcd@HOST.example:443/a+b/c:d/~e/!f/42', 'https://0123abcd@HOST.example:443/a+b/c:d/~e/!f/42'],
  ['https://0123abcd@host.example/user:hunter2@other.example/42', '[redacted]'],
  ['https://0123abcd@host.example/42#hunter2', '[redacted]'],
  ['https://0123abcd@[2001:db8::1]:9000/42', 'https://0123abcd@[2001:db8::1]:9000/42'],
  ['', ''],
  ['  ', ''],
  ['ghp_0123456789abcdefABCDEF', '[redacted]'],
  ['postgres://app@db/shop', '[redacted]'],
  ['https://0123abcd@host.example/42?token=hunter2', '[redacted]'],
])('of an annotation that is an address the key is kept, and no password: %j', (value, kept) => {
  const keeps = keeping(['vendor.example/', 'vendor.example/dsn@']);
  const named = { metadata: { ...object.metadata, annotations: { 'vendor.example/dsn': value } } };
  expect(readerOf(['CronJob'], keeps)({ ...object, ...named })?.annotations).toEqual({ 'vendor.example/dsn': kept });
});

it('another set of annotations is another schema, whatever its order; a newer reader is a higher one', () => {
  const both = schemaWith(2, ['a/', 'b/']);
  expect(schemaWith(2, ['b/', 'a/', 'a/'])).toBe(both);
  expect(schemaWith(2, ['a/'])).not.toBe(both);
  expect(schemaWith(3, ['a/'])).toBeGreaterThan(both);
  expect(schemaWith(2, [])).toBe(2);
  expect(Number.isSafeInteger(schemaWith(1_000, ['a/']))).toBe(true);
});
