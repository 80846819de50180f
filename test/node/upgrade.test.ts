import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { packageChart, type Tree } from '../chart/helm.ts';
import { clusterScript } from '../harness/cluster.ts';
import type { Release } from './release.ts';
import { type Expected, expectReported, setStage, type Stage } from './stage.ts';
import { BRIDGE, COLLECTOR } from './values.ts';
import { FAILS, SUCCEEDS } from './workloads.ts';

/** No release was ever published: the one before is this chart and this bridge under a lower version. */
const PREVIOUS = '0.0.9';

const DEBUG = { ...BRIDGE, config: { log: { level: 'debug' } } };

/** A release has one version, of the chart and of its parts; its bridge has it too. */
function older(folder: string): void {
  const umbrella = 'charts/lifecycle-bridge';
  const parts = readdirSync(join(folder, 'subcharts')).map((part) => `subcharts/${part}`);
  for (const chart of [umbrella, ...parts]) {
    const path = join(folder, chart, 'Chart.yaml');
    const text = readFileSync(path, 'utf8').replaceAll(/^( *version): .*$/gm, `$1: ${PREVIOUS}`);
    const isOurs = [umbrella, 'subcharts/bridge'].includes(chart);
    writeFileSync(path, isOurs ? text.replace(/^appVersion: .*$/m, `appVersion: ${PREVIOUS}`) : text);
  }
  rmSync(join(folder, umbrella, 'Chart.lock'));
}

let stage: Stage;
let release: Release;
let previous: string;
let current: string;
const runs: Expected[] = [];

describe.skipIf(inject('node')?.cluster === undefined)(
  'upgrades of a release (needs a node of its own, and so root)',
  () => {
    beforeAll(async () => {
      stage = await setStage('upgrade');
      const image = `docker.io/library/lifecycle-bridge`;
      const names = [`${image}:${manifest.version}`, `${image}:${PREVIOUS}`];
      await clusterScript(
        stage.node.cluster!,
        'exec',
        '--',
        'ctr',
        '-n',
        'k8s.io',
        'images',
        'tag',
        '--force',
        ...names,
      );
      current = await packageChart();
      previous = await packageChart(older);
      release = stage.release('lb');
      await release.apply(previous, stage.values());
      await stage.make(SUCCEEDS, FAILS);
    });
    afterAll(() => stage?.close());

    /** One more of each kind; then all that ever ran was reported once. */
    async function goesOn(step: string): Promise<void> {
      const [fine, failed] = [await stage.start(SUCCEEDS, `fine-${step}`), await stage.start(FAILS, `fails-${step}`)];
      runs.push(
        { job: fine, end: 'complete' },
        { job: failed, end: 'fail', message: /exited with.*BackoffLimitExceeded/ },
      );
      await expectReported(stage, runs);
    }

    /** The UID of each pod, by its part. */
    async function pods(): Promise<Readonly<Record<string, string>>> {
      return Object.fromEntries([...(await release.pods())].map(([part, { metadata }]) => [part, metadata.uid]));
    }

    /** The parts whose pods are others after `change`. */
    async function rolledBy(change: () => Promise<unknown>): Promise<readonly string[]> {
      const before = await pods();
      await change();
      const after = await pods();
      return Object.keys(before).filter((part) => after[part] !== before[part]);
    }

    const image = async () => JSON.stringify((await release.pods()).get('bridge')?.spec?.['containers']);

    it('the release before is installed, and reports', async () => {
      expect(await image()).toContain(`lifecycle-bridge:${PREVIOUS}`);
      await goesOn('before');
    });

    it('an upgrade from it replaces the bridge, which goes on with the store, and leaves the rest alone', async () => {
      expect(await rolledBy(() => release.apply(current, stage.values()))).toEqual(['bridge']);
      expect(await image()).toContain(`lifecycle-bridge:${manifest.version}`);
      await goesOn('upgraded');
    });

    it.each<readonly [string, Tree, readonly string[]]>([
      ['of the Collector', { collector: verbose() }, ['collector']],
      ['of the bridge', { collector: verbose(), bridge: DEBUG }, ['bridge']],
    ])('an upgrade with another value %s rolls that and nothing else', async (_, values, parts) => {
      expect(await rolledBy(() => release.apply(current, stage.values(values)))).toEqual(parts);
    });

    function verbose(): Tree {
      const service = { telemetry: { logs: { level: 'warn' } } };
      return { ...COLLECTOR, config: { ...COLLECTOR.config, service } };
    }

    it('an upgrade with the same values rolls nothing, and everything was reported once', async () => {
      const same = { collector: verbose(), bridge: DEBUG };
      expect(await rolledBy(() => release.apply(current, stage.values(same)))).toEqual([]);
      await goesOn('changed');
    });

    it('a rollback to the release before opens the store of the newer one, and nothing is reported again', async () => {
      await release.helm('rollback', '1', '--wait', '--timeout', '4m');
      expect(await image()).toContain(`lifecycle-bridge:${PREVIOUS}`);
      await goesOn('rolled-back');
      await release.settled();
      await expectReported(stage, runs);
    });
  },
);
