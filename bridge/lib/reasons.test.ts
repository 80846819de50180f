import { expect, it } from 'vitest';
import { reasonText } from './reasons.ts';

it('says a reason and what is known beyond it', () => {
  expect(reasonText('rate_limited', 'HTTP 429')).toBe('the vendor asked for a pause (429): HTTP 429');
  expect(reasonText('delivered')).toBe('delivered');
  expect(reasonText(undefined, 'some: words')).toBe('some: words');
  expect(reasonText(undefined)).toBe('');
});

it('spells out the keys of reasons in a stored detail, and nothing that only looks like one', () => {
  expect(reasonText(undefined, 'row_refused: bad_request: HTTP 400: timeout of 5 s')).toBe(
    'sent although the vendor refuses the object that it belongs to for good: the vendor refused the request for good (4xx): HTTP 400: timeout of 5 s',
  );
  expect(reasonText('expired', 'server_error: HTTP 500; row_refused: forbidden')).toBe(
    'not delivered within outbox.maxAge: the vendor answered with a server error (5xx): HTTP 500; ' +
      'sent although the vendor refuses the object that it belongs to for good: the vendor forbids this (403)',
  );
  expect(reasonText(undefined, 'constructor: x')).toBe('constructor: x');
});
