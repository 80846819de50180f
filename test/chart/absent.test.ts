import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  BUNDLED,
  cases,
  fileOf,
  IMAGE,
  packageChart,
  render,
  SUBCHARTS,
  subchart,
  type Tree,
  UMBRELLA,
} from './helm.ts';
import { containersOf, podsOf } from './pods.ts';

const run = promisify(execFile);
let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

describe('what the chart does not do', () => {
  const everything = async () => (await Promise.all(cases().map(({ values }) => render(chart, values)))).flat();

  it('no condition of a part is without effect', async () => {
    for (const name of SUBCHARTS) {
      const off = { [name]: { enabled: false }, backend: { exporter: 'debug' } };
      const manifests = await render(chart, off);
      const made = name === 'bundled-backend' ? /-(bundled-backend|jaeger|victorialogs)$/ : new RegExp(`${name}$`);
      expect(manifests.filter(({ metadata }) => made.test(metadata.name))).toEqual([]);
    }
  });

  it('any combination of parts is rendered', async () => {
    const pods = { bridge: 1, collector: 1, 'kube-state-metrics': 1, 'bundled-backend': 2 };
    for (let bits = 1; bits < 16; bits++) {
      const on = SUBCHARTS.filter((_, index) => (bits & (1 << index)) !== 0);
      const parts = Object.fromEntries(SUBCHARTS.map((name) => [name, { enabled: on.includes(name) }]));
      // Nothing else can fill a bundled backend.
      if (on.includes('bundled-backend') && !(on.includes('bridge') && on.includes('collector'))) continue;
      const values = { ...parts, backend: { exporter: 'debug' } };
      expect(podsOf(await render(chart, values)).filter(({ hook }) => !hook)).toHaveLength(
        on.reduce((sum, name) => sum + pods[name], 0),
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

  it('no template reads a value that no values.yaml has', async () => {
    for (const [folder, values] of [
      [UMBRELLA, UMBRELLA],
      ...SUBCHARTS.map((name) => [subchart(name), subchart(name)]),
    ] as const) {
      const known = parse(readFileSync(join(values, 'values.yaml'), 'utf8')) as Tree;
      const templates = readdirSync(join(folder, 'templates'), { recursive: true, encoding: 'utf8' }).filter((name) =>
        /[.](yaml|tpl|txt)$/.test(name),
      );
      const texts = templates.map((name) => readFileSync(join(folder, 'templates', name), 'utf8'));
      const read = texts.flatMap((text) =>
        [...text.matchAll(/(?:^|[^\w])[$]?[.]Values[.](\w+(?:[.]\w+)*)/g)].map((match) => match[1] ?? ''),
      );
      const unknown = read.filter((path) => {
        // Within `with .Subcharts.x` the values are those of that part.
        const owners = folder === UMBRELLA ? [known, ...SUBCHARTS.map(valuesOf)] : [known, { global: {} }];
        return !owners.some((owner) => has(owner, path.split('.')));
      });
      expect([...new Set(unknown)]).toEqual([]);
      expect(read.length).toBeGreaterThan(10);
    }
  });

  it('no job that is removed by null leaves anything behind', async () => {
    const jobs = { kubelet: null, cadvisor: null, 'annotated-pods': null, bridge: null };
    const values = { scope: 'cluster', backend: { exporter: 'debug' }, metrics: { scrape: { jobs } } };
    const text = fileOf(await render(chart, values), 'lb-collector', 'collector.yaml');
    expect([...text.matchAll(/job_name: (.*)/g)].map((match) => match[1])).toEqual(['collector', 'kube-state-metrics']);
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
    const image = { image: { digest } };
    const images = Object.fromEntries(SUBCHARTS.map((name) => [name, image]));
    const manifests = await render(chart, {
      ...images,
      'bundled-backend': { enabled: true, jaeger: image, victorialogs: image },
      backend: { exporter: 'debug' },
      global: { imageRegistry: 'mirror.example.com' },
    });
    for (const { image } of podsOf(manifests).flatMap(containersOf)) {
      expect(image.startsWith('mirror.example.com/')).toBe(true);
      expect(image.endsWith(`@${digest}`)).toBe(true);
    }
  });

  it('no image that runs is missing in Chart.yaml, and none is there in vain; that of the bridge is not published', async () => {
    const { annotations } = parse(readFileSync(join(UMBRELLA, 'Chart.yaml'), 'utf8')) as {
      annotations: Record<string, string>;
    };
    const listed = parse(annotations['artifacthub.io/images'] ?? '') as readonly { image: string }[];
    const running = podsOf(await render(chart, BUNDLED)).flatMap(containersOf);
    const published = running.map(({ image }) => image).filter((image) => !image.startsWith(`${IMAGE}:`));
    expect(new Set(listed.map(({ image }) => image))).toEqual(new Set(published));
  });

  it('a selector holds nothing that a later version changes', async () => {
    const keys = (await everything()).flatMap((manifest) => {
      const selector = (manifest['spec'] as Tree | undefined)?.['selector'] as Tree | undefined;
      return Object.keys((selector?.['matchLabels'] as Tree | undefined) ?? {});
    });
    expect(new Set(keys)).toEqual(new Set(['app.kubernetes.io/name', 'app.kubernetes.io/instance']));
  });
});

const valuesOf = (name: string): Tree => parse(readFileSync(join(subchart(name), 'values.yaml'), 'utf8')) as Tree;

function has(tree: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return typeof tree === 'object' && tree !== null && key in tree && has((tree as Tree)[key], rest);
}
