import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packageChart } from '../chart/helm.ts';
import { type Kube, until } from '../harness/kube.ts';
import { startVendors, type Vendors } from '../vendors/start-vendors.ts';
import type { Release } from './release.ts';
import { expectReported, setStage, type Stage } from './stage.ts';
import { BRIDGE } from './values.ts';
import { cronJob, FAILS, SUCCEEDS } from './workloads.ts';

let stage: Stage;
let kube: Kube;
let shop: Kube;
let others: Vendors;
let one: Release;
let two: Release;

describe.skipIf(inject('node') === undefined)('releases side by side (needs root)', () => {
  /** Two releases in one namespace: one of that namespace, without volumes; one of the whole cluster. */
  beforeAll(async () => {
    stage = await setStage('beside');
    ({ kube } = stage);
    shop = await stage.namespace('shop');
    others = await startVendors({ host: stage.node.hostIp });
    const chart = await packageChart();
    [one, two] = [stage.release('one'), stage.release('two')];
    const values = stage.values();
    const without = { persistence: { enabled: false } };
    await one.apply(chart, {
      ...values,
      bridge: { ...BRIDGE, ...without },
      collector: { ...(values['collector'] as object), ...without },
    });
    const elsewhere = { existingSecret: 'cronitor', apiUrl: others.url, pingUrl: others.url };
    await two.apply(chart, { ...values, scope: 'cluster', cronitor: { default: elsewhere } });
    await stage.make(SUCCEEDS, FAILS);
    await shop.apply(cronJob(SUCCEEDS));
  });
  afterAll(async () => {
    // Objects without a namespace stay after the namespace.
    await two?.helm('uninstall', '--wait');
    await others?.close();
    await stage?.close();
  });

  it('two releases in one namespace see each what is in their scope, and report it once', async () => {
    const [fine, failed] = [await stage.start(SUCCEEDS, 'fine'), await stage.start(FAILS, 'failed')];
    const inShop = await shop.runCronJob(SUCCEEDS.name, 'in-shop');
    const both = [
      { job: fine, end: 'complete' as const },
      { job: failed, end: 'fail' as const, message: /exited with.*BackoffLimitExceeded/ },
    ];
    await expectReported({ ...stage, vendors: others, kube: shop }, [{ job: inShop, end: 'complete' }]);
    await expectReported({ ...stage, vendors: others }, both);
    await expectReported(stage, both);
    expect(JSON.stringify(stage.vendors.cronitor.state())).not.toContain(shop.namespace);
    const names = await until(
      'both send metrics',
      () => {
        const found = new Set(stage.sink.samples().map(({ resource }) => resource['helm.release.name']));
        return found.size === 2 && found;
      },
      90_000,
    );
    expect(names).toEqual(new Set(['one', 'two']));
  });

  it('without a volume it makes no claim; after its pod was replaced it reports the last minutes again, and goes on', async () => {
    const claims = (await kube.list('persistentvolumeclaims')).map(({ metadata }) => metadata.name);
    expect(claims.toSorted()).toEqual(['data-two-bridge-0', 'queue-two-collector-0']);
    await kube.kubectl(['delete', 'pod', 'one-bridge-0']);
    await until('its pod is there again', async () => (await one.pods()).has('bridge'));
    await kube.wait('pod/one-bridge-0', 'condition=Ready', 120_000);
    await one.settled();
    const uid = (await kube.get('job/fine')).metadata.uid;
    const reported = stage.vendors.cronitor.pings.filter(({ query }) => query.series === uid);
    const states = reported.map(({ query }) => query.state).filter((state) => state !== 'logs');
    expect(states).toEqual(['run', 'complete', 'run', 'complete']);
    const later = await stage.start(FAILS, 'later');
    await expectReported(stage, [{ job: later, end: 'fail', message: /exited with.*BackoffLimitExceeded/ }]);
  });
});
