import { describe, expect, it } from 'vitest';
import { pathOf } from './url-path.ts';

describe('a path of segments', () => {
  it.each(['report', 'a.b', '..a', 'Ünïcode', 'a:b@c', 'a&b=c+d,e', 'two words', "it's", '漢字', '🚀'])(
    '%j is one segment',
    (text) => {
      const path = pathOf('api', text);
      expect(new URL(`https://host${path}`).pathname).toBe(path);
      expect(decodeURIComponent(path!)).toBe(`/api/${text}`);
    },
  );

  it.each([
    '',
    '.',
    '..',
    '...',
    '/',
    'a/b',
    '../x',
    '..\\x',
    '\\',
    '%2e',
    '%2e%2e',
    '%2E%2e',
    '.%2e',
    'a%2fb',
    '%',
    '?x',
    '#x',
    ';x',
    '..;',
    ' ',
    ' a',
    'a ',
    'a\tb',
    '\t',
    'a\nb',
    '\u0000',
    'a\u0000',
    '\u0085',
    '\u00A0',
    '\u2028',
    '\uFEFF',
    '．．',
    '／',
    '‥',
    '\uD800',
    '[redacted]',
  ])('%j is none, alone or among others', (text) => {
    expect(pathOf(text)).toBeUndefined();
    expect(pathOf('api', text, 'x')).toBeUndefined();
  });
});
