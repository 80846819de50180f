import { expect, it } from 'vitest';
import { problemsOf } from '../../config/config-errors.ts';
import { otlpSchema } from './config.ts';

it.each([
  'http://collector:4317',
  'http://collector:4317/',
  'https://otlp.example.com',
  'https://otlp.example.com:4317',
  'http://[fd00::1]:4317',
])('the endpoint %s is taken', (endpoint) => {
  expect(otlpSchema.parse({ endpoint }).endpoint).toBe(endpoint);
});

it.each([
  'collector:4317',
  'http://collector',
  'http://collector:99999',
  'http://fd00::1:4317',
  'http://collector:4318/v1/traces',
  'https://user:password@collector:4317',
  'http://collector:4317?key=x',
  'ftp://collector:4317',
])('the endpoint %s is refused once, and not taken in part', (endpoint) => {
  const { error } = otlpSchema.safeParse({ endpoint });
  expect(problemsOf(error!, otlpSchema, { endpoint }).map(({ hint }) => hint)).toEqual([
    expect.stringContaining('a host with its port, such as http://collector:4317'),
  ]);
});

it('headers stand in the configuration or in a file, not in both', () => {
  const { error } = otlpSchema.safeParse({ endpoint: 'http://c:4317', headers: 'a: b', headersFile: '/headers' });
  expect(error?.issues).toMatchObject([{ path: ['headers'], message: 'set headers or headersFile, not both' }]);
});
