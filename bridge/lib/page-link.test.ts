import { describe, expect, it } from 'vitest';
import { pageAddress, pageLink } from './page-link.ts';

describe('the address of the page', () => {
  it.each([
    ['https://bridge.example.com', 'https://bridge.example.com'],
    ['https://bridge.example.com/', 'https://bridge.example.com'],
    ['HTTPS://Bridge.Example.com:443//', 'https://bridge.example.com'],
    ['http://10.0.0.7:8080', 'http://10.0.0.7:8080'],
    ['http://[fd00::1]:8080/', 'http://[fd00::1]:8080'],
    ['https://ops.example.com/tools/bridge/', 'https://ops.example.com/tools/bridge'],
    ['https://brücke.example.com', 'https://xn--brcke-lva.example.com'],
  ])('%s is %s', (given, address) => expect(pageAddress(given)).toBe(address));

  it.each([
    '',
    'bridge.example.com',
    '/runs',
    '//bridge.example.com',
    'https:bridge.example.com',
    'https://',
    'ftp://bridge.example.com',
    'javascript:alert(1)',
    'https://ada:secret@bridge.example.com',
    'https://@bridge.example.com',
    'https://bridge.example.com/?to=runs',
    'https://bridge.example.com?',
    'https://bridge.example.com/#runs',
    'https://bridge.example.com/ runs',
    ' https://bridge.example.com',
    'https://bridge.example.com\n',
    'https:\\\\bridge.example.com',
    'https://bridge.example.com:99999',
    `https://bridge.example.com/${'ü'.repeat(200)}`,
  ])('%j is not one', (given) => expect(pageAddress(given)).toBeUndefined());
});

it('a link is below the address, whatever its segments hold, and left out without an address', () => {
  expect(pageLink('https://x.example/bridge', 'runs', 'a/b?c')).toBe('https://x.example/bridge/runs/a%2Fb%3Fc');
  expect(pageLink('https://x.example')).toBe('https://x.example');
  expect(pageLink(undefined, 'runs', 'a')).toBeUndefined();
});
