import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { loadConfig } from './load.ts';
import { configSecrets, printConfig } from './print.ts';

const withKey = (cronitor: Record<string, string>) =>
  loadConfig({ env: {}, overrides: { cronitor: { default: cronitor } } });

it('prints the whole configuration with secrets redacted and durations readable', () => {
  const text = printConfig(withKey({ apiKey: 'hunter2' }));
  expect(text).not.toContain('hunter2');
  expect(text).toContain('apiKey: <redacted>');
  expect(text).toContain('lookback: 15m');
  expect(text).toContain('maxAge: 1d');
});

it('prints the path of a secret file, and hides the password of a URL', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'print-')), 'key');
  writeFileSync(path, 'hunter2\n');
  const config = withKey({ apiKeyFile: path, apiUrl: 'http://user:hunter3@host' });
  const text = printConfig(config);
  expect(text).toContain(path);
  expect(text).not.toContain('hunter');
  expect(configSecrets(config)).toEqual(expect.arrayContaining(['hunter2', 'hunter3']));
  rmSync(path);
});

it('prints what loads again to the same configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'print-'));
  const file = join(folder, 'bridge.yaml');
  writeFileSync(file, printConfig(loadConfig({ env: {}, overrides: { firstSight: { lookback: '90s' } } })));
  expect(loadConfig({ file, env: {} }).firstSight.lookback).toBe(90_000);
  rmSync(folder, { recursive: true });
});
