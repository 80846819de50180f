import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packageChart } from '../chart/helm.ts';
import { clusterScript } from '../harness/cluster.ts';
import { type Kube, type KubeObject, until } from '../harness/kube.ts';
import type { Release } from './release.ts';
import { type Expected, expectReported, setStage, type Stage } from './stage.ts';
import { FAILS, SUCCEEDS } from './workloads.ts';

let stage: Stage;
let kube: Kube;
let release: Release;
let chart: string;
const runs: Expected[] = [];
/** Names of Jobs whose end is not known yet. */
const started: string[] = [];

describe.skipIf(inject('node')?.cluster === undefined)(
  'what is killed and restarted under a release (needs a node of its own, and so root)',
  () => {
    beforeAll(async () => {
      stage = await setStage('restarts');
      ({ kube } = stage);
      chart = await packageChart();
      release = stage.release('lb');
      await release.apply(chart, stage.values());
      await stage.make(SUCCEEDS, FAILS, VANISHES);
    });
    afterAll(() => stage?.close());

    /** Its Jobs are removed when they end: only who watched knows of them. */
    const VANISHES = { ...SUCCEEDS, name: 'vanishes', job: { ttlSecondsAfterFinished: 0 } };

    async function start(name: string): Promise<void> {
      const jobs = [await stage.start(SUCCEEDS, `fine-${name}`), await stage.start(FAILS, `fails-${name}`)];
      started.push(...jobs.map(({ metadata }) => metadata.name));
    }

    /** Cronitor has of each run what became of it: a kubelet that is killed while it starts a container fails that too. */
    async function expectAllReported(): Promise<void> {
      for (const name of started.splice(0)) {
        const job = await until(
          `${name} has ended`,
          async () => {
            const found = await kube.get(`job/${name}`);
            return conditionsOf(found).length > 0 && found;
          },
          180_000,
        );
        const complete = conditionsOf(job).includes('Complete');
        runs.push(
          complete ? { job, end: 'complete' } : { job, end: 'fail', message: /exited with.*BackoffLimitExceeded/ },
        );
      }
      expect(runs.filter(({ end }) => end === 'complete').length).toBeGreaterThan(runs.length / 3);
      await expectReported(stage, runs);
    }

    function conditionsOf({ status }: KubeObject): readonly string[] {
      const conditions = (status?.['conditions'] ?? []) as readonly { readonly type: string }[];
      return conditions.map(({ type }) => type).filter((type) => type === 'Complete' || type === 'Failed');
    }

    const ready = (pod: string) => kube.wait(`pod/${pod}`, 'condition=Ready', 120_000);

    it.each<readonly [string, () => Promise<unknown>]>([
      ['the pod of the bridge is deleted', () => kube.kubectl(['delete', 'pod', 'lb-bridge-0'])],
      ['the pod of the Collector is deleted', () => kube.kubectl(['delete', 'pod', 'lb-collector-0'])],
      ['all pods are deleted', () => kube.kubectl(['delete', 'pod', '-l', 'app.kubernetes.io/instance=lb'])],
      ['kubelet restarts', () => clusterScript(stage.node.cluster!, 'restart', 'kubelet')],
      ['containerd restarts', () => clusterScript(stage.node.cluster!, 'restart', 'containerd')],
    ])('while %s, nothing is lost and nothing is reported twice', async (what, disturb) => {
      const step = what.replaceAll(/[^a-z]+/gi, '-').toLowerCase();
      await start(`${step}-before`);
      const disturbed = disturb();
      await start(`${step}-meanwhile`);
      await disturbed;
      await Promise.all(['lb-bridge-0', 'lb-collector-0'].map(ready));
      await start(`${step}-after`);
      await expectAllReported();
    });

    it('what the Collector has on its volume outlives its pod, also runs that nobody could list any more', async () => {
      await kube.kubectl(['scale', 'statefulset/lb-bridge', '--replicas=0']);
      await kube.wait('pod/lb-bridge-0', 'delete', 60_000);
      const gone = [await stage.start(VANISHES, 'vanishes-1'), await stage.start(VANISHES, 'vanishes-2')];
      await Promise.all(gone.map(({ metadata }) => kube.wait(`job/${metadata.name}`, 'delete', 60_000)));
      await untilQuiet('the Collector has taken what there was');
      await kube.kubectl(['delete', 'pod', 'lb-collector-0']);
      await kube.kubectl(['scale', 'statefulset/lb-bridge', '--replicas=1']);
      runs.push(...gone.map((job) => ({ job, end: 'complete' as const })));
      await expectReported(stage, runs);
      await Promise.all(['lb-bridge-0', 'lb-collector-0'].map(ready));
    });

    /** Until the Collector has said forty times that it received nothing more: a machine that stands still says nothing. */
    async function untilQuiet(what: string): Promise<void> {
      const path = `/api/v1/namespaces/${kube.namespace}/pods/lb-collector-0:8888/proxy/metrics`;
      let [last, same] = ['', 0];
      const isQuiet = async (): Promise<boolean> => {
        const metrics = await kube.kubectl(['get', '--raw', path]);
        const now = [...metrics.matchAll(/^otelcol_receiver_accepted_log_records.*$/gm)].join('\n');
        same = now === last ? same + 1 : 0;
        last = now;
        return now !== '' && same >= 40;
      };
      await until(what, isQuiet, 120_000);
    }

    it('after retire every monitor is paused; an uninstall leaves the two volumes and nothing else', async () => {
      const said = await kube.kubectl(['exec', 'lb-bridge-0', '--', 'lifecycle-bridge', 'retire']);
      expect(said).toContain('vendor objects are accepted as paused');
      const { monitors } = stage.vendors.cronitor;
      expect(Object.fromEntries([...monitors.values()].map(({ name, paused }) => [name, paused]))).toEqual(
        Object.fromEntries([SUCCEEDS, FAILS, VANISHES].map(({ name }) => [`${kube.namespace}/${name}`, true])),
      );
      const before = await objects();
      await release.helm('uninstall', '--wait');
      await until('its pods are gone', async () => (await release.pods()).size === 0);
      const left = (await until('nothing but volumes is left', async () => {
        const names = (await objects()).filter(
          (name) => /\blb[-.:]|lifecycle-bridge/.test(name) || !before.includes(name),
        );
        return names.every((name) => name.startsWith('persistentvolumeclaims/')) && names;
      })) as readonly string[];
      expect(left.toSorted()).toEqual([
        'persistentvolumeclaims/data-lb-bridge-0',
        'persistentvolumeclaims/queue-lb-collector-0',
      ]);
    });

    /** Everything in the namespace that is not an event or its lease. */
    async function objects(): Promise<readonly string[]> {
      const resources = await kube.kubectl(['api-resources', '--namespaced', '--verbs=list', '-o', 'name']);
      const kinds = resources.split('\n').filter((kind) => kind !== '' && !/^events|metrics\.k8s\.io/.test(kind));
      const found = await kube.kubectl(['get', kinds.join(','), '-o', 'json', '--ignore-not-found']);
      if (found.trim() === '') return [];
      const { items } = JSON.parse(found) as { items: { kind: string; metadata: { name: string } }[] };
      return items.map(({ kind, metadata }) => `${kind.toLowerCase()}s/${metadata.name}`);
    }

    it('a second install goes on with the same store: retired until --undo, and nothing is reported again', async () => {
      await release.apply(chart, stage.values());
      await release.settled();
      await until('it is retired', async () => (await release.readyz().catch(() => undefined))?.retired !== undefined);
      await kube.kubectl(['exec', 'lb-bridge-0', '--', 'lifecycle-bridge', 'retire', '--undo']);
      await until('no monitor is paused', () =>
        [...stage.vendors.cronitor.monitors.values()].every(({ paused }) => paused !== true),
      );
      await start('again');
      await expectAllReported();
    });
  },
);
