import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { entry } from '../config/tree.ts';
import { migrateFromCommand } from './migrate-from.ts';

const SECRET = 'an-api-key-0123456789';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'migrate-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Printed {
  readonly values: unknown;
  /** The YAML itself. */
  readonly text: string;
  /** What is said beside it. */
  readonly notes: string;
}

async function migrate(...args: string[]): Promise<Printed> {
  const [texts, notes]: [string[], string[]] = [[], []];
  const terminal = { env: {}, print: (line: string) => texts.push(line), warn: (line: string) => notes.push(line) };
  expect(await migrateFromCommand(['cronitor', ...args], terminal)).toBe(0);
  const text = texts.join('\n');
  expect(text + notes.join('\n')).not.toContain(SECRET);
  return { values: parse(text, { version: '1.1' }), text, notes: notes.join('\n') };
}

function write(content: string): string {
  const file = join(folder, 'old');
  writeFileSync(file, content);
  return file;
}

/** Old values, with the key that the chart makes people give. */
const values = (old: object): string =>
  write(stringify({ credentials: { secretName: 's', secretKey: 'k' }, ...old }, { schema: 'yaml-1.1' }));
const env = (old: Record<string, string>): string =>
  write(
    Object.entries({ CRONITOR_API_KEY: SECRET, ...old })
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );

const at = (printed: Printed, path: string): unknown => path.split('.').reduce(entry, printed.values);

describe('the API key', () => {
  it('is never printed; a command that copies it from the old Secret is', async () => {
    const old = { credentials: { createSecret: { apiKey: SECRET }, secretName: 'ignored', secretKey: 'ignored' } };
    const printed = await migrate(values(old), '--namespace', 'monitoring');
    expect(at(printed, 'cronitor.default')).toMatchObject({ existingSecret: 'cronitor', key: 'api-key' });
    expect(printed.notes).toContain(
      'create secret generic cronitor --from-literal=api-key="$(kubectl -n monitoring get secret',
    );
    expect(printed.notes).toContain('{{.data.CRONITOR_API_KEY | base64decode}}');
  });

  it('is asked for when the old values name none', async () => {
    const { notes } = await migrate(write('config: {default: include}\n'));
    expect(notes).toContain('credentials: they name no API key. Before the install: kubectl');
  });
});

describe('the variables of the old agent', () => {
  it.each<[Record<string, string>, Record<string, unknown>]>([
    [{}, { 'cronitor.default.existingSecret': 'cronitor', scope: 'cluster' }],
    [{}, { 'cronitor.default.shipLogs': false }],
    [{ CRONITOR_AGENT_SHIP_LOGS: 'true' }, { 'cronitor.default.shipLogs': true }],
    [{ DEFAULT_BEHAVIOR: 'exclude' }, { 'cronitor.default.defaultBehavior': 'exclude' }],
    [{ DEFAULT_ENV: 'staging' }, { 'cronitor.default.env': 'staging' }],
    [{ TAGS: 'a,b' }, { 'cronitor.default.tags': ['a', 'b'] }],
    [{ CRONITOR_AGENT_POD_FILTER: 'x$' }, { 'cronitor.default.podFilter': 'x$' }],
    [{ CRONITOR_HOSTNAME_OVERRIDE: 'http://m' }, { 'cronitor.default.apiUrl': 'http://m' }],
    [
      { https_proxy: 'http://p:3128', NO_PROXY: '.corp' },
      { 'bridge.proxy': { https: 'http://p:3128', exclude: '.corp' } },
    ],
    [{ HTTP_PROXY: 'http://p:3128' }, { 'bridge.proxy': { http: 'http://p:3128' } }],
    [{ PATH: '/bin', HOSTNAME: 'pod' }, { scope: 'cluster' }],
  ])('%j', async (old, ours) => {
    const printed = await migrate('--env', env(old));
    for (const [path, value] of Object.entries(ours)) expect({ [path]: at(printed, path) }).toEqual({ [path]: value });
    expect(printed.notes).toContain('CRONITOR_API_KEY: not taken over');
    expect(printed.notes).toContain('  flags: those of the old agent are not among its variables');
    expect(printed.notes).not.toMatch(/PATH|HOSTNAME:/);
  });

  it('that have no effect are said, and wrong ones refused', async () => {
    const names = ['APP_VERSION', 'SENTRY_ENABLED', 'SENTRY_RELEASE', 'SENTRY_ENVIRONMENT', 'SUPPORT_EMAIL_ADDRESS'];
    const unused = ['NODE_NAME', 'CHART_VERSION', 'KUBERNETES_VERSION', 'KUBERNETES_NAMESPACE'];
    const { notes } = await migrate('--env', env(Object.fromEntries([...names, ...unused].map((name) => [name, 'x']))));
    for (const name of [...names, ...unused]) expect(notes).toMatch(new RegExp(`^ {2}${name}: without effect`, 'm'));
    const password = await migrate('--env', env({ HTTPS_PROXY: `http://u:${SECRET}@p` }));
    expect(password.notes).toContain('HTTPS_PROXY: not taken over, because it holds a password');
    await expect(migrate('--env', env({ DEFAULT_BEHAVIOR: 'no' }))).rejects.toThrow('allowed: include, exclude');
    await expect(migrate('--env', env({ CRONITOR_AGENT_SHIP_LOGS: 'yes' }))).rejects.toThrow('allowed: true, false');
  });
});

it('lists at once what is wrong, and quotes no line of a file that is not YAML', async () => {
  const both = values({ config: { default: 'x', logLevel: 'y' } });
  await expect(migrate(both)).rejects.toThrow(/config\.default: "x"; allowed: [^]*config\.logLevel: "y"; allowed: /);
  const broken = write(`credentials: {apiKey: ${SECRET}`);
  await expect(migrate(broken)).rejects.toThrow(/^\S+old:1:\d+ is not valid YAML \([a-z ]+\)$/);
});

it('reads what helm get values prints, with its heading and YAML 1.1', async () => {
  const printed = await migrate(write('COMPUTED VALUES:\nconfig:\n  shipLogs: yes\n  defaultEnvironment: prod\n'));
  expect(at(printed, 'cronitor.default.env')).toBe('prod');
  expect(printed.notes).not.toContain('COMPUTED');
});

it.each([
  [['cronitor'], 'one of FILE, --env FILE and --release NAME is needed'],
  [['cronitor', 'a', '--env', 'b'], 'one of FILE, --env FILE and --release NAME is needed'],
  [['cronitor', '--release', 'a'], '--release needs --namespace'],
  [['kubewatch', 'a'], 'kubewatch is not known; allowed: cronitor'],
  [[], 'TOOL is missing'],
])('called as %j it says how to call it', async (argv, words) => {
  const terminal = { env: {}, print: () => undefined, warn: () => undefined };
  await expect(migrateFromCommand(argv, terminal)).rejects.toThrow(words);
});
