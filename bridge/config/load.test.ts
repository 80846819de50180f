import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { UserError } from '../lib/errors.ts';
import { SINKS } from '../sinks/index.ts';
import { loadConfig } from './load.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(yaml: string): string {
  const path = join(folder, 'bridge.yaml');
  writeFileSync(path, yaml);
  return path;
}

function failure(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof UserError) return `${error.message}\n${error.next}`;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const errorOf = (yaml: string, env: Record<string, string> = {}) =>
  failure(() => loadConfig({ file: fileWith(yaml), env }));

describe('loadConfig', () => {
  it('fills in every default when nothing is given', () => {
    expect(loadConfig({ env: {} })).toEqual({
      cluster: {
        name: 'default',
        scope: 'cluster',
        list: true,
        events: true,
        collectorPods: [],
        collectorLogs: [],
        audit: { interval: 300_000, grace: 900_000 },
      },
      otlp: {
        host: '0.0.0.0',
        port: 4317,
        maxMessageBytes: 67_108_864,
        maxPendingBytes: 33_554_432,
        maxConnections: 64,
      },
      web: { host: '127.0.0.1', port: 8080, auth: 'none', proxyHeader: 'X-Forwarded-User', trustedProxies: [] },
      store: {
        path: '/var/lib/lifecycle-bridge/bridge.db',
        retention: { age: 2_592_000_000, maxBytes: 1_073_741_824 },
      },
      tracing: { sampleRatio: 0.01 },
      log: { level: 'info' },
      firstSight: { lookback: 900_000, running: 'announce' },
      watch: {},
      stuck: { unschedulable: 300_000, pending: 600_000 },
      logs: {
        maxBytes: 65_536,
        maxLines: 1000,
        maxRunBytes: 524_288,
        keep: 7 * 86_400_000,
        maxStoredBytes: 134_217_728,
      },
      onUnknown: 'none',
      outbox: { maxAge: 86_400_000 },
      ...Object.fromEntries(Object.keys(SINKS).map((sink) => [sink, {}])),
    });
  });

  it("has the page's address as people reach it in its normal form, and refuses what is none", () => {
    const web = (publicUrl: string) => loadConfig({ env: { LIFECYCLE_BRIDGE__WEB__PUBLIC_URL: publicUrl } }).web;
    expect(web('https://Bridge.example.com/').publicUrl).toBe('https://bridge.example.com');
    const said = errorOf('web: {publicUrl: "bridge.example.com"}');
    expect(said).toContain('web.publicUrl: "bridge.example.com"');
    expect(said).toContain('an http or https URL such as https://bridge.example.com');
    const secret = errorOf('web: {publicUrl: "https://ada:hunter2/3@bridge.example.com"}');
    expect(secret).toContain('web.publicUrl: "https://<redacted>@bridge.example.com"; allowed: an http or https URL');
    expect(secret).not.toContain('hunter');
  });

  it('cannot be changed afterwards, at any depth', () => {
    const config = loadConfig({ env: {}, overrides: { cluster: { scope: ['a'] } } });
    expect(() => Object.assign(config.otlp, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.cluster.scope, { 0: 'b' })).toThrow(TypeError);
  });

  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
  ])('reads the duration %s as %i ms', (text, ms) => {
    expect(loadConfig({ file: fileWith(`stuck: {pending: ${text}}`), env: {} }).stuck.pending).toBe(ms);
  });

  it('lets overrides win over the environment and the environment over the file', () => {
    const file = fileWith('otlp: {port: 1, host: file}\nweb: {port: 1}');
    const env = { LIFECYCLE_BRIDGE_CONFIG: file, LIFECYCLE_BRIDGE__OTLP__PORT: '2', LIFECYCLE_BRIDGE__WEB__PORT: '2' };
    const config = loadConfig({ env, overrides: { web: { port: 3 } } });
    expect([config.otlp.host, config.otlp.port, config.web.port]).toEqual(['file', 2, 3]);
  });

  it('takes a key without a value as not given', () => {
    expect(loadConfig({ file: fileWith('otlp:\nweb:\n  port:\n'), env: {} }).web.port).toBe(8080);
  });
});

describe('the namespaces of a destination', () => {
  const load = (scope: string) =>
    loadConfig({
      file: fileWith(`cluster: {scope: ${scope}}\ncronitor: {a: {apiKey: k, namespaces: [shop]}}`),
      env: {},
    });

  it('are among those that are watched', () => {
    expect(load('cluster').cronitor['a']!.namespaces).toEqual(['shop']);
    expect(load('[desk, shop]').cronitor['a']!.namespaces).toEqual(['shop']);
    const text = failure(() => load('[desk, billing]'));
    expect(text).toContain('cronitor.a.namespaces.0: "shop"; allowed: a namespace of cluster.scope (desk, billing)');
  });
});

describe('the environment', () => {
  const load = (env: Record<string, string>, yaml = '') => loadConfig({ file: fileWith(yaml), env });

  it('maps double underscores to levels and snake case to camel case', () => {
    const config = load({
      LIFECYCLE_BRIDGE__FIRST_SIGHT__LOOKBACK: '1h',
      LIFECYCLE_BRIDGE__CLUSTER__SCOPE: '[team-a, team-b]',
      LIFECYCLE_BRIDGE__CLUSTER__LIST: 'false',
      LIFECYCLE_BRIDGE__CRONITOR__TEAM_A__API_KEY: 'k',
    });
    expect(config.firstSight.lookback).toBe(3_600_000);
    expect(config.cluster).toMatchObject({ scope: ['team-a', 'team-b'], list: false });
    expect(Object.keys(config.cronitor)).toEqual(['team-a']);
  });

  it('reaches every setting of a Cronitor account, lists and mappings as YAML', () => {
    const account = 'LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__';
    const config = load({
      [`${account}API_KEY`]: 'k',
      [`${account}DEFAULT_BEHAVIOR`]: 'exclude',
      [`${account}INFERRED_KEYS`]: 'shared',
      [`${account}NAMESPACES`]: '[shop, billing]',
      [`${account}EXCLUDE_NAMESPACES`]: '[billing]',
      [`${account}LABEL_SELECTOR__MATCH_LABELS`]: '{team: a}',
      [`${account}LABEL_SELECTOR__MATCH_EXPRESSIONS`]: '[{key: tier, operator: Exists}]',
      [`${account}TAGS`]: '[a, b]',
    });
    expect(config.cronitor['default']).toMatchObject({
      defaultBehavior: 'exclude',
      inferredKeys: 'shared',
      namespaces: ['shop', 'billing'],
      excludeNamespaces: ['billing'],
      labelSelector: {
        matchLabels: { team: 'a' },
        matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }],
      },
      tags: ['a', 'b'],
    });
  });

  it('keeps text as it is where the schema wants text', () => {
    const config = load({ LIFECYCLE_BRIDGE__CLUSTER__NAME: '007', LIFECYCLE_BRIDGE__STORE__PATH: 'true' });
    expect([config.cluster.name, config.store.path]).toEqual(['007', 'true']);
  });

  it('finds the destination that the file spells with a dash', () => {
    const config = load(
      { LIFECYCLE_BRIDGE__CRONITOR__TEAM_A__API_KEY: 'from-environment' },
      'cronitor: {team-a: {dryRun: true}}',
    );
    expect(config.cronitor).toMatchObject({ 'team-a': { apiKey: 'from-environment', dryRun: true } });
  });

  it('ignores an empty variable', () => {
    expect(load({ LIFECYCLE_BRIDGE__OTLP__PORT: '' }).otlp.port).toBe(4317);
  });

  it('names the variable of a wrong value', () => {
    const text = failure(() => load({ LIFECYCLE_BRIDGE__OTLP__PORT: 'many' }));
    expect(text).toContain('otlp.port (from LIFECYCLE_BRIDGE__OTLP__PORT): "many"; allowed: a whole number from 0');
  });

  it('names the variable of an unknown key', () => {
    const text = failure(() => load({ LIFECYCLE_BRIDGE__OTLP__PROT: '1' }));
    expect(text).toContain('otlp.prot (from LIFECYCLE_BRIDGE__OTLP__PROT): unknown key; did you mean port?');
  });
});

describe('an error', () => {
  it.each([
    ['otlp: {port: 70000}', 'otlp.port: 70000; allowed: a whole number from 0 to 65535 (0: any free port)'],
    ['log: {level: loud}', 'log.level: "loud"; allowed: debug, info, warn, error'],
    ['cluster: {list: maybe}', 'cluster.list: "maybe"; allowed: true, false'],
    ['cluster: {scope: []}', 'cluster.scope: []; allowed: cluster, or a list of namespaces'],
    ['cluster: {scope: [Team_A]}', 'cluster.scope.0: "Team_A"; allowed: the name of a namespace'],
    ['cluster: {name: 7}', 'cluster.name: 7; allowed: text that is not empty'],
    ['outbox: {maxAge: 1 day}', 'outbox.maxAge: "1 day"; allowed: a duration such as 500ms, 90s, 15m or 24h'],
    [
      'outbox: {maxAge: 0s}',
      'outbox.maxAge: "0s"; allowed: a duration such as 500ms, 90s, 15m or 24h, from 1m to 3650d',
    ],
    ['cluster: {audit: {interval: 0s}}', 'cluster.audit.interval: "0s"; allowed: a duration'],
    ['stuck: {pending: 99999999d}', 'stuck.pending: "99999999d"; allowed: a duration'],
    ['opentelemetry: &all {x: *all}', 'is not valid YAML (an alias cannot be resolved)'],
    ['otlp: {prot: 1}', 'otlp.prot: unknown key; did you mean port? allowed here: host, port, maxMessageBytes'],
    [
      'zebra: 1',
      'zebra: unknown key; allowed here: cluster, watch, otlp, web, store, log, tracing, firstSight, logs, stuck, onUnknown, outbox, cronitor',
    ],
    ['otlp: 4317', 'otlp: a number; allowed: a mapping with the keys host, port, maxMessageBytes'],
    [
      'opentelemetry: {__proto__: {endpoint: "http://x:4317"}}',
      'opentelemetry.__proto__: this name; allowed: any other',
    ],
    ['sentry: {default: {tags: {__proto__: a}}}', 'sentry.default.tags.__proto__: this name; allowed: any other name'],
    ['cronitor: {"a b": {apiKey: k}}', 'cronitor."a b": this name; a destination name has lower-case letters'],
    ['cronitor: {a: {}}', 'cronitor.a.apiKey: missing; needs exactly one of apiKey and apiKeyFile'],
    ['cronitor: {a: {apiUrl: x}}', 'cronitor.a.apiUrl: "x"; must be an http or https URL'],
    ['- a', 'must hold a mapping at its top'],
    ['a: [', ':1:5 is not valid YAML'],
  ])('for %s says %s', (yaml, expected) => {
    expect(errorOf(yaml)).toContain(expected);
  });

  it('lists every problem', () => {
    const text = errorOf('otlp: {port: -1}\nlog: {level: loud}\nweb: {prt: 1}');
    expect(text).toContain('the configuration has 3 problems');
    expect(text.match(/^ {2}\S/gm)).toHaveLength(3);
  });

  it('says what to do when the file is missing', () => {
    expect(failure(() => loadConfig({ file: join(folder, 'none.yaml'), env: {} }))).toContain('--config FILE');
  });

  it.each([
    'cronitor: {default: {apiKey: [hunter2]}}',
    'cronitor: {default: hunter2}',
    'cronitor: hunter2',
    'cronitor: {default: {apiKey: "<hunter2>"}}',
    'cronitor: {default: {apiKey: hunter2, apiKeyFile: /x}}',
    'cronitor: {default: {apikey: hunter2}}',
    'cronitor: {default: {apiKey: "hunter2}}',
    'cronitor: {default: {apiKey: *hunter2}}',
    'cronitor: {default: {apiKey: !hunter2 [}}',
    'cronitor: {default: {apiUrl: "ftp://user:hunter2@host"}}',
  ])('never shows the secret of %s', (yaml) => {
    expect(errorOf(yaml)).not.toContain('hunter2');
  });
});
