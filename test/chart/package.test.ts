import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../bridge/config/load.ts';
import { tool } from '../e2e/harness/cluster.ts';
import {
  cases,
  fileOf,
  helm,
  type Manifest,
  one,
  packageChart,
  render,
  SUBCHARTS,
  type Tree,
  UMBRELLA,
} from './helm.ts';
import { KUBERNETES, schemaFolder } from './kube-schemas.ts';
import { containersOf, podsOf } from './pods.ts';

const run = promisify(execFile);
const subchart = (name: string): string => join(UMBRELLA, '../../subcharts', name);
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
      'files/collector-config/receivers.yaml',
      'Chart.lock',
      'README.md',
    ])
      expect(files).toContain(`lifecycle-bridge/${file}`);
    for (const name of SUBCHARTS) expect(files).toContain(`lifecycle-bridge/charts/${name}/values.schema.json`);
    expect(stdout).not.toMatch(/lifecycle-bridge\/(ci|examples|tests)\//);
    expect(statSync(chart).size).toBeLessThan(100_000);
  });

  it('is what a release Secret of at most 1 MiB can hold many times', () => {
    expect(statSync(chart).size * 4).toBeLessThan(1_048_576);
  });

  it('is made from the lock: a dependency of another version is refused', async () => {
    const copy = join(work, 'other');
    await run('cp', ['-r', join(UMBRELLA, '../..', 'charts'), join(UMBRELLA, '../..', 'subcharts'), work]);
    mkdirSync(copy);
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

describe('what the chart does not do', () => {
  const everything = async () => (await Promise.all(cases().map(({ values }) => render(chart, values)))).flat();

  it('no condition of a part is without effect', async () => {
    for (const name of SUBCHARTS) {
      const off = {
        [name]: { enabled: false },
        backend: { exporter: 'debug' },
        metrics: { scrape: { jobs: { [name]: { enabled: false } } } },
      };
      const manifests = await render(chart, off);
      expect(manifests.filter(({ metadata }) => metadata.name.endsWith(name))).toEqual([]);
    }
  });

  it('any combination of parts is rendered', async () => {
    for (let bits = 1; bits < 8; bits++) {
      const on = (index: number) => ({ enabled: (bits & (1 << index)) !== 0 });
      const parts = Object.fromEntries(SUBCHARTS.map((name, index) => [name, on(index)]));
      const values = { ...parts, backend: { exporter: 'debug' }, metrics: { scrape: { jobs: parts } } };
      expect(podsOf(await render(chart, values)).filter(({ hook }) => !hook)).toHaveLength(
        SUBCHARTS.filter((_, index) => on(index).enabled).length,
      );
    }
  });

  it('no release shares a name with another one in its namespace, nor in the cluster', async () => {
    const { values } = cases().find(({ name }) => name === 'ci/cluster-values.yaml')!;
    const names = async (release: string, namespace: string) =>
      (await render(chart, values, { release, namespace })).map(
        ({ kind, metadata }) => `${kind}/${kind.startsWith('Cluster') ? '' : namespace}/${metadata.name}`,
      );
    const all = [...(await names('a', 'x')), ...(await names('b', 'x')), ...(await names('a', 'y'))];
    expect(new Set(all).size).toBe(all.length);
  });

  it('no boolean is defaulted to true, which nobody could turn off', async () => {
    const { stdout } = await run('grep', [
      '-rnE',
      'default +\\(?true',
      UMBRELLA,
      join(UMBRELLA, '../../subcharts'),
      '--include=*.tpl',
      '--include=*.yaml',
    ]).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    expect(stdout).toBe('');
  });

  it('no workload uses an account that neither the chart nor the user made', async () => {
    const strangers: string[] = [];
    for (const { values } of cases()) {
      const manifests = await render(chart, values);
      const made = manifests.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
      const used = podsOf(manifests).flatMap(({ spec, hook }) => (hook ? [] : [String(spec.serviceAccountName)]));
      strangers.push(...used.filter((name) => !made.includes(name)));
    }
    // The one that ci/production-values.yaml gives.
    expect([...new Set(strangers)]).toEqual(['collector']);
  });

  it('no image is other than by the values: a registry and digests reach each of them', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const images = Object.fromEntries(SUBCHARTS.map((name) => [name, { image: { digest } }]));
    const manifests = await render(chart, { ...images, global: { imageRegistry: 'mirror.example.com' } });
    for (const { image } of podsOf(manifests).flatMap(containersOf)) {
      expect(image.startsWith('mirror.example.com/')).toBe(true);
      expect(image.endsWith(`@${digest}`)).toBe(true);
    }
  });

  it('a selector holds nothing that a later version changes', async () => {
    const keys = (await everything()).flatMap((manifest) => {
      const selector = (manifest['spec'] as Tree | undefined)?.['selector'] as Tree | undefined;
      return Object.keys((selector?.['matchLabels'] as Tree | undefined) ?? {});
    });
    expect(new Set(keys)).toEqual(new Set(['app.kubernetes.io/name', 'app.kubernetes.io/instance']));
  });
});
