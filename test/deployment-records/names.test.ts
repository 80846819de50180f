import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJob, deployment, job, namespace, pod, Records, replicaSet, statefulSet } from './world.ts';

let bridge: Records;
beforeEach(() => {
  bridge = new Records();
});
afterEach(() => bridge.engine.close());

const web = deployment('web', ['app'], 2);
const set = replicaSet('web-1', web, ['app'], 2);

describe('Jobs', () => {
  it('a finished Job stays deployed while it exists, also without its pods', () => {
    const one = job('import', ['worker']);
    const [first, second] = [
      pod('import-a', one, { worker: 'a' }, { phase: 'Succeeded' }),
      pod('import-b', one, { worker: 'a' }),
    ];
    bridge.see(first, one);
    expect(bridge.lines).toEqual(['shop/import/worker a deployed']);
    bridge.delete(first);
    bridge.see(second);
    bridge.delete(second);
    expect(bridge.lines).toEqual(['shop/import/worker a deployed']);
    bridge.delete(one);
    expect(bridge.lines).toEqual(['shop/import/worker a decommissioned']);
  });

  it('a CronJob is deployed under its own name, between its runs too, until it and its pods are gone', () => {
    const nightly = cronJob('nightly', ['report']);
    const [one, two] = [job('nightly-1', ['report'], nightly), job('nightly-2', ['report'], nightly)];
    const pods = [
      pod('nightly-1-a', one, { report: 'a' }, { phase: 'Succeeded' }),
      pod('nightly-2-a', two, { report: 'b' }, { age: 90 }),
    ];
    bridge.see(pods[0]!, one, nightly);
    expect(bridge.lines).toEqual(['shop/nightly/report a deployed']);
    bridge.delete(one, pods[0]!);
    expect(bridge.lines).toEqual(['shop/nightly/report a deployed']);
    bridge.see(two, pods[1]!);
    bridge.delete(nightly);
    expect(bridge.lines).toEqual(['shop/nightly/report b deployed']);
    bridge.delete(pods[1]!, two);
    expect(bridge.lines).toEqual(['shop/nightly/report b decommissioned']);
  });

  it('what runs counts before what is over', () => {
    const nightly = cronJob('nightly', ['report']);
    const [one, two] = [job('nightly-1', ['report'], nightly), job('nightly-2', ['report'], nightly)];
    bridge.see(nightly, one, two, pod('nightly-1-a', one, { report: 'a' }));
    bridge.see(pod('nightly-2-a', two, { report: 'b' }, { age: 90, phase: 'Succeeded' }));
    expect(bridge.lines).toEqual(['shop/nightly/report a deployed']);
  });
});

describe('a name that two workloads have', () => {
  const older = statefulSet('web', ['app'], 1, { creationTimestamp: '2026-01-01T00:00:00Z' });

  it('belongs to the oldest; the other is shown, and has it when the oldest is gone', () => {
    const pods = [pod('web-1-a', set, { app: 'b' }, { age: 90 }), pod('web-0', older, { app: 'a' })];
    bridge.see(web, set, pods[0]!, older, pods[1]!);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
    expect(bridge.engine.reader.desired({ limit: 1 }).items[0]!.objects).toEqual([
      'StatefulSet shop/web',
      'Deployment shop/web',
    ]);
    bridge.delete(older, pods[1]!);
    expect(bridge.lines).toEqual(['shop/web/app b deployed']);
  });
});

describe('tags, risks and the repository', () => {
  const P = 'metadata.github.com/';
  const noted = (annotations: Record<string, string>) =>
    deployment('web', ['app'], 2, {
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [
          (key === 'repository' ? 'github.lifecycle-bridge.io/' : P) + key,
          value,
        ]),
      ),
    });

  it('come from the pod and all its owners, and follow what they become', () => {
    const own = pod('web-1-a', set, { app: 'a' }, { meta: { annotations: { [`${P}team`]: 'pods' } } });
    bridge.see(noted({ team: 'web', env: 'prod', 'runtime-risks': ' Sensitive-Data' }), set, own);
    expect(bridge.records[0]).toMatchObject({ tags: { team: 'pods', env: 'prod' }, runtime_risks: ['sensitive-data'] });
    bridge.see(noted({ repository: 'web', 'runtime-risks': 'internet-exposed,sensitive-data' }));
    expect(bridge.records[0]).toMatchObject({
      tags: { team: 'pods' },
      runtime_risks: ['internet-exposed', 'sensitive-data'],
      github_repository: 'web',
    });
    bridge.delete(noted({ repository: 'web' }), set, own);
    expect(bridge.records[0]).toMatchObject({ status: 'decommissioned', github_repository: 'web' });
    expect(bridge.records[0]).not.toHaveProperty('tags');
  });
});

describe('the configuration', () => {
  const billing = (name: string) => deployment(name, ['app'], 1, { labels: { tier: 'pci' } });

  it('sends workloads to other organisations and environments, by namespace or label', () => {
    bridge.restart({
      routes: [
        { labelSelector: { matchLabels: { tier: 'pci' } }, org: 'acme-pci', logicalEnvironment: 'pci' },
        { namespaces: ['shop'], physicalEnvironment: 'eu' },
      ],
    });
    const [a, b] = [billing('pay'), deployment('web', ['app'])];
    const [one, two] = [replicaSet('pay-1', a, ['app']), replicaSet('web-1', b, ['app'])];
    bridge.see(a, b, one, two, pod('p', one, { app: 'a' }), pod('w', two, { app: 'b' }));
    expect(
      bridge.records.map((it) => `${it.org} ${it.logical_environment} ${it.physical_environment}`).toSorted(),
    ).toEqual(['acme production eu', 'acme-pci pci ']);
  });

  it('sends workloads elsewhere by the labels of their namespace, and waits until that is seen', () => {
    const matchLabels = { tenant: 'a' };
    bridge.restart({ routes: [{ namespaceSelector: { matchLabels }, org: 'acme-a' }] });
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }));
    expect(bridge.lines).toEqual([]);
    bridge.see(namespace('shop', { tenant: 'a' }));
    const orgs = () => bridge.records.map(({ org, status }) => `${org} ${status}`).toSorted();
    expect(orgs()).toEqual(['acme-a deployed']);
    bridge.see(namespace('shop', { tenant: 'b' }));
    expect(orgs()).toEqual(['acme deployed', 'acme-a decommissioned']);
    bridge.see(namespace('shop', { tenant: 'a' }));
    bridge.delete(namespace('shop', { tenant: 'a' }));
    bridge.see(pod('web-1-a', set, { app: 'b' }));
    expect(orgs()).toEqual(['acme decommissioned', 'acme-a deployed']);
    bridge.restart({ namespaceSelector: { matchLabels: { tenant: 'c' } } });
    expect(orgs()).toEqual(['acme decommissioned', 'acme-a decommissioned']);
  });

  it('leaves out containers and namespaces, and what it left out at a start is decommissioned', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a', proxy: 'b' }));
    bridge.restart({ excludeContainers: ['proxy'] });
    expect(bridge.lines).toEqual(['shop/web/app a deployed', 'shop/web/proxy b decommissioned']);
    bridge.restart({ excludeNamespaces: ['shop'] });
    expect(bridge.lines).toEqual(['shop/web/app a decommissioned', 'shop/web/proxy b decommissioned']);
  });

  it('says of which containers the template makes names that GitHub does not take', () => {
    bridge.restart({ template: `${'x'.repeat(250)}{{deploymentName}}/{{containerName}}`, excludeContainers: ['left'] });
    const nightly = cronJob('n', ['ok', 'ok2long', 'left']);
    const one = job('n-1', ['ok', 'ok2long', 'left'], nightly);
    bridge.see(nightly, one, pod('n-1-a', one, { ok: 'a', ok2long: 'b', left: 'c' }));
    expect(bridge.records.map(({ digest }) => digest.slice(7, 8))).toEqual(['a']);
    const { items } = bridge.engine.reader.problems({ limit: 10 });
    expect(items.map(({ kind, name, problems }) => [kind, name, problems.map(({ annotation }) => annotation)])).toEqual(
      [['CronJob', 'n', ['spec.template.spec.containers[ok2long]']]],
    );
  });

  it('when the bridge is retired, leaves the records of what runs as they are', () => {
    bridge.see(web, set, pod('web-1-a', set, { app: 'a' }));
    bridge.engine.retire(true);
    expect(bridge.lines).toEqual(['shop/web/app a deployed']);
  });
});
