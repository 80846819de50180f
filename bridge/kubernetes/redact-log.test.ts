import { describe, expect, it } from 'vitest';
import { redactLog } from './redact-log.ts';

describe('the log of a program', () => {
  it.each([
    ['Authorization: Bearer abc123def456ghi', 'Authorization: [redacted]'],
    ['curl -H "Authorization: Bearer abcdef0123456789"', 'curl -H "Authorization: [redacted]"'],
    ['using bearer abcdef0123456789 now', 'using [redacted] now'],
    ['authorization=Basic dXNlcjpwYXNz', 'authorization=[redacted]'],
    ['postgres://app:s3cret@db:5432/shop', 'postgres://[redacted]@db:5432/shop'],
    ['dsn is https://0123abcd@sentry.example/7', 'dsn is https://[redacted]@sentry.example/7'],
    ['password=hunter2 user=bob', 'password=[redacted] user=bob'],
    ['DB_PASSWORD: hunter2', 'DB_PASSWORD: [redacted]'],
    ['MYSQL_PWD=hunter2', 'MYSQL_PWD=[redacted]'],
    ['{"password":"hunter2","user":"bob"}', '{"password":"[redacted]","user":"bob"}'],
    [String.raw`{"m":"{\"password\":\"hunter2\"}"}`, String.raw`{"m":"{\"password\":\"[redacted]\"}"}`],
    [`clientSecret = 'a b c'`, `clientSecret = '[redacted]'`],
    ['"accessToken" => "abc"', '"accessToken" => "[redacted]"'],
    ['--api-key abcdef --verbose', '--api-key [redacted] --verbose'],
    ['GET /x?page=2&api_key=abcdef&sort=up', 'GET /x?page=2&api_key=[redacted]&sort=up'],
    ['PUT https://s3/x?X-Amz-Signature=abc&X-Amz-Date=1', 'PUT https://s3/x?X-Amz-Signature=[redacted]&X-Amz-Date=1'],
    ['aws_secret_access_key=wJalrXUtnFEMI/K7MDENG', 'aws_secret_access_key=[redacted]'],
    ['key AKIAIOSFODNN7EXAMPLE found', 'key [redacted] found'],
    ['pushed with ghp_0123456789abcdefABCDEF', 'pushed with [redacted]'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1', 'jwt [redacted]'],
    ['slack xoxb-123456789012-abcdef', 'slack [redacted]'],
    ['Set-Cookie: session=abc; Path=/', 'Set-Cookie: [redacted]; Path=/'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nnext', '[redacted]\nnext'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '[redacted]'],
    ['\u001B[31mpassword\u001B[0m=\u001B[1mhunter2', 'password=[redacted]'],
    ['\u001B[32mok\u001B[0m\r\n\u0007done', 'ok\ndone'],
  ])('%j is kept as %j', (line, kept) => {
    expect(redactLog(line)).toBe(kept);
  });

  it.each([
    'processed 12 of 40 orders in 3.2 s',
    'the password was changed',
    'token expired, retrying',
    'https://example.com/a?page=2',
    'mail to ops@example.com',
    'author=bob monkey=banana design=north spin=1',
    'a=1, b: 2\n\tat run (file.js:12:3)',
    'tokens=1200 passengers=3',
  ])('%j stays as it is', (line) => {
    expect(redactLog(line)).toBe(line);
  });

  it('is the same after a second time', () => {
    const once = redactLog('{"token": "abc"} password=x Authorization: Bearer abcdefgh12 https://a:b@c/');
    expect(redactLog(once)).toBe(once);
  });

  it.each(['a', 'a-', 'token', '"\\', '-----BEGIN '])(
    'takes time in proportion to the length of a line of %j: by its square it would not end in time',
    (part) => {
      const line = part.repeat(1_000_000);
      expect(redactLog(line)).toBe(line);
    },
  );
});
