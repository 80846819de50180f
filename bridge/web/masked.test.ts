import { describe, expect, it } from 'vitest';
import { apiJson } from './api.ts';
import { masked } from './masked.ts';
import { payload } from './parts.ts';

describe('what is sent to a vendor, for a person', () => {
  it('has no key of a DSN, and still says where it goes', () => {
    expect(masked({ kind: 'event', target: { dsn: 'https://0123abcd@o1.ingest.sentry.io/42' }, item: {} })).toEqual({
      kind: 'event',
      target: { dsn: 'https://[redacted]@o1.ingest.sentry.io/42' },
      item: {},
    });
  });

  it('has no value whose name says that it is a credential, and no text that holds one, however deep', () => {
    const sent = {
      list: [{ password: 'horse', notes: ['see https://ada:horse@db.internal/x'] }],
      'api-key': ['horse'],
    };
    const shown = masked(sent);
    expect(JSON.stringify(shown)).not.toContain('horse');
    expect(shown).toMatchObject({ list: [{ notes: ['see https://[redacted]@db.internal/x'] }] });
  });

  it('is otherwise as it is sent', () => {
    const sent = {
      key: 'cart-cleanup',
      query: { state: 'complete', series: '11111111-0000-4000-8000-000000000001', stamp: '1767607200' },
      message: 'exit code 1: container main of Deployment web\nsecond line',
      digest: 'sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',
      token: '',
      count: 3,
      none: null,
      ok: true,
    };
    expect(masked(sent)).toEqual(sent);
  });

  it('is shown like that by the API and on the page', () => {
    const sent = { target: { dsn: 'https://0123abcd@o1.ingest.sentry.io/42' }, at: 1 };
    const shown = { target: { dsn: 'https://[redacted]@o1.ingest.sentry.io/42' }, at: 1 };
    expect(apiJson({ items: [{ payload: sent }, { wanted: sent }] })).toEqual({
      items: [{ payload: shown }, { wanted: shown }],
    });
    const page = payload('p', 'payload', sent).text;
    expect(page).toContain('[redacted]@o1.ingest.sentry.io/42');
    expect(page).not.toContain('0123abcd');
  });
});
