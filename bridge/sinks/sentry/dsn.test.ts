import { dsnToString, makeDsn } from '@sentry/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeUrl, parseDsn, publicDsn } from './dsn.ts';

const part = (text: string, max: number, min = 0) =>
  fc.string({ unit: fc.constantFrom(...Array.from(text)), minLength: min, maxLength: max });
const dsns = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    part('aZ9_', 8, 1),
    fc.option(part('aZ9_', 4), { nil: undefined }),
    fc.oneof(part('aZ9.-_', 12, 1), fc.constant('[fe80::1%eth0]'), fc.constant('[::ffff:127.0.0.1]')),
    fc.option(part('0123456789', 5, 1), { nil: undefined }),
    part('a9-/.', 8),
    part('0123456789', 6, 1),
  )
  .map(([protocol, key, secret, host, port, path, project]) => {
    const user = secret === undefined ? key : `${key}:${secret}`;
    return `${protocol}://${user}@${host}${port === undefined ? '' : `:${port}`}/${path}${path && '/'}${project}`;
  });

describe('a DSN', () => {
  it("has the parts that Sentry's own library reads of it, where it is an address", () => {
    fc.assert(
      fc.property(dsns, (text) => {
        const isAddress = URL.canParse(text);
        expect(parseDsn(text) !== undefined).toBe(isAddress);
        if (!isAddress) return;
        const { pass: _secret, ...parts } = makeDsn(text)!;
        expect(parseDsn(text)).toEqual({ ...parts, host: parts.host.toLowerCase() });
        expect(publicDsn(parseDsn(text)!)).toBe(dsnToString({ ...makeDsn(text)!, host: parts.host.toLowerCase() }));
      }),
    );
  });

  it.each([
    ['https://key@o1.ingest.sentry.io/42', 'https://o1.ingest.sentry.io/api/42/envelope/'],
    ['https://key:secret@SENTRY.example.com:443/a/b/42', 'https://sentry.example.com/a/b/api/42/envelope/'],
    ['http://key@[::1]:9000/42', 'http://[::1]:9000/api/42/envelope/'],
  ])('takes envelopes: %s', (text, url) => {
    expect(envelopeUrl(parseDsn(text)!)).toBe(url);
  });

  it.each([
    '',
    'https://o1.ingest.sentry.io/42',
    'https://@o1.ingest.sentry.io/42',
    'https://key@o1.ingest.sentry.io/',
    'https://key@o1.ingest.sentry.io/project',
    'https://key@o1.ingest.sentry.io//42',
    'https://key@o1.ingest.sentry.io:123456/42',
    'https://key@o1.ingest.sentry.io:99999/42',
    'https://key@1.2.3.999/42',
    'https://key@[:::]/42',
    'ftp://key@o1.ingest.sentry.io/42',
    'https://key@o1.ingest.sentry.io/42?x',
    ' https://key@o1.ingest.sentry.io/42',
  ])('is not %j', (text) => {
    expect(parseDsn(text)).toBeUndefined();
  });
});
