import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../bridge/config/load.ts';
import { tool } from '../harness/cluster.ts';
import {
  cases,
  fileOf,
  helm,
  type Manifest,
  one,
  packageChart,
  render,
  SUBCHARTS,
  subchart,
  type Tree,
  UMBRELLA,
} from './helm.ts';
import { KUBERNETES, schemaFolder } from './kube-schemas.ts';
import { podsOf } from './pods.ts';

const run = promisify(execFile);
const work = mkdtempSync(join(tmpdir(), 'chart-package-'));
let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('helm lint --strict', () => {
  it.each(SUBCHARTS)('has nothing against %s alone, which renders its workload', async (name) => {
    expect(await helm('lint', '--strict', subchart(name))).toMatchObject({ code: 0 });
    expect(podsOf(await render(subchart(name), {})).length).toBeGreaterThan(0);
  });

  it.each(cases().map(({ name, values }) => [name, values] as const))(
    'has nothing against %s',
    async (name, values) => {
      const file = join(work, `${name.replaceAll('/', '-')}.json`);
      writeFileSync(file, JSON.stringify(values));
      const said = await helm('lint', '--strict', chart, '-f', file);
      expect(said).toMatchObject({ code: 0 });
      expect(said.output).not.toContain('WARNING');
    },
  );
});

describe('the package', () => {
  it('holds the schema, the notes and the configuration of the Collector, and is small', async () => {
    const { stdout } = await run('tar', ['tzf', chart]);
    const files = new Set(stdout.split('\n'));
    for (const file of [
      'values.schema.json',
      'templates/NOTES.txt',
      'files/collector-config/watch/CronJob.yaml',
      'Chart.lock',
      'README.md',
    ])
      expect(files).toContain(`lifecycle-bridge/${file}`);
    expect(files).toContain('lifecycle-bridge/charts/bridge/files/kinds.yaml');
    for (const name of SUBCHARTS) expect(files).toContain(`lifecycle-bridge/charts/${name}/values.schema.json`);
    expect(stdout).not.toMatch(/lifecycle-bridge\/(ci|examples|tests)\//);
    expect(statSync(chart).size).toBeLessThan(100_000);
  });

  it.skipIf(!existsSync('/usr/bin/gpg'))(
    'can be signed with a key and is verified against it, not against another',
    async () => {
      const folder = mkdtempSync(join(work, 'signed-'));
      const gpg = async (home: string, ...args: readonly string[]): Promise<void> => {
        await run('gpg', ['--homedir', join(folder, home), '--batch', '--passphrase', '', ...args]);
      };
      for (const home of ['ours', 'other']) {
        mkdirSync(join(folder, home), { mode: 0o700 });
        await gpg(home, '--quick-gen-key', `${home} <${home}@example.com>`, 'rsa2048', 'sign', 'never');
        await gpg(home, '--output', join(folder, `${home}.secret`), '--export-secret-keys');
        await gpg(home, '--output', join(folder, `${home}.public`), '--export');
        await run('gpgconf', ['--homedir', join(folder, home), '--kill', 'gpg-agent']);
      }
      await run('tar', ['xzf', chart, '-C', folder]);
      const sign = ['--sign', '--key', 'ours', '--keyring', join(folder, 'ours.secret'), '--destination', folder];
      expect(await helm('package', join(folder, 'lifecycle-bridge'), ...sign)).toMatchObject({ code: 0 });
      const verify = (home: string) =>
        helm('verify', join(folder, basename(chart)), '--keyring', join(folder, `${home}.public`));
      expect((await verify('ours')).output).toContain('Chart Hash Verified');
      expect((await verify('other')).code).not.toBe(0);
    },
  );

  it('is made from the lock: a dependency of another version is refused', async () => {
    await run('cp', ['-r', join(UMBRELLA, '../..', 'charts'), join(UMBRELLA, '../..', 'subcharts'), work]);
    const file = join(work, 'charts/lifecycle-bridge/Chart.yaml');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(
        'version: 0.1.0\n    repository: file://../../subcharts/bridge',
        'version: 0.2.0\n    repository: file://../../subcharts/bridge',
      ),
    );
    const said = await helm('dependency', 'build', join(work, 'charts/lifecycle-bridge'));
    expect(said.code).not.toBe(0);
    expect(said.output).toContain('out of sync');
  });
});

describe.each(KUBERNETES)('Kubernetes %s', (version) => {
  it('knows every field of every object, with all values that are kept', async () => {
    const manifests: Manifest[] = [];
    for (const { values } of cases())
      manifests.push(...(await render(chart, values, { args: ['--kube-version', version] })));
    for (const name of SUBCHARTS) manifests.push(...(await render(subchart(name), {})));
    const kinds = new Set(manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
    const folder = await schemaFolder(version, kinds, work);
    const { code, output } = await kubeconform(folder, manifests);
    expect(output).toContain(`Summary: ${manifests.length} resources found`);
    expect(output).toContain('Invalid: 0, Errors: 0, Skipped: 0');
    expect(code).toBe(0);
  });

  it('has a schema that finds a wrong field', async () => {
    const manifest = one(await render(chart, {}), 'StatefulSet', 'lb-bridge');
    const spec = { ...(manifest['spec'] as Tree), replicaCount: 1 };
    const folder = await schemaFolder(version, new Set(['apps/v1 StatefulSet']), work);
    expect((await kubeconform(folder, [{ ...manifest, spec }])).output).toContain("'replicaCount' not allowed");
  });
});

async function kubeconform(folder: string, manifests: readonly Manifest[]): Promise<{ code: number; output: string }> {
  const location = `${folder}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  const child = spawn(await tool('kubeconform'), ['-summary', '-verbose', '-schema-location', location]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join(''));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('helm-unittest', () => {
  it.each([UMBRELLA, ...SUBCHARTS.map(subchart)])('has no failing suite in %s', async (path) => {
    if (path === UMBRELLA) await helm('dependency', 'build', path);
    const { stdout } = await run(await tool('helm-unittest'), ['--strict', '--file', 'tests/*_test.yaml', path]);
    expect(stdout).toMatch(/Tests: +[1-9]\d* passed, [1-9]\d* total/);
  });
});

describe('bridge.yaml', () => {
  it.each(cases().map(({ name, values }) => [name, values] as const))(
    'of %s is what the bridge takes',
    async (_, values) => {
      const manifests = await render(chart, values);
      if (values['bridge'] !== undefined && (values['bridge'] as Tree)['enabled'] === false) return;
      const file = join(work, 'bridge.yaml');
      writeFileSync(file, fileOf(manifests, 'lb-bridge', 'bridge.yaml'));
      const config = loadConfig({ file, env: {} });
      expect(config.otlp.tokenFile).toBe('/etc/lifecycle-bridge/secrets/otlp-token');
      const scope = values['scope'] === 'cluster' ? 'cluster' : (values['namespaces'] ?? ['ops']);
      expect(new Set(config.cluster.scope)).toEqual(new Set(scope as string));
      const mounted = JSON.stringify(
        podsOf(manifests).find(({ owner }) => owner === 'StatefulSet/lb-bridge')?.spec.volumes,
      );
      for (const path of JSON.stringify(config).match(/\/etc\/lifecycle-bridge\/secrets\/[^"]+/g) ?? [])
        expect(mounted).toContain(`"path":"${path.split('/').at(-1)}"`);
    },
  );
});
