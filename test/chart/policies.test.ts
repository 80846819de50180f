import { beforeAll, describe, expect, it } from 'vitest';
import { ACCEPTED, BAD } from './bad.ts';
import { cases, packageChart, render } from './helm.ts';
import { POLICIES } from './policies.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

/** Only with scope: cluster. */
const CLUSTER_WIDE = 'nothing of a namespace is cluster-wide';

describe.each(cases().map(({ name, values }) => [name, values] as const))('with %s', (_, values) => {
  it('every rule holds for every object', async () => {
    const manifests = await render(chart, values);
    const broken = Object.entries(POLICIES)
      .filter(([rule]) => rule !== CLUSTER_WIDE || values['scope'] !== 'cluster')
      .map(([rule, policy]) => [rule, policy(manifests)] as const)
      .filter(([, wrong]) => wrong.length > 0);
    expect(broken).toEqual([]);
  });
});

describe.each(Object.entries(BAD))('the rule "%s"', (rule, fixtures) => {
  it.each(fixtures.map((fixture) => [JSON.stringify(fixture['spec'] ?? fixture), fixture] as const))(
    'and no other refuses %s',
    (_, fixture) => {
      const refusing = Object.entries(POLICIES).filter(([, policy]) => policy([fixture]).length > 0);
      expect(refusing.map(([name]) => name)).toEqual([rule]);
    },
  );
});

it('no rule refuses a pod that is as it should be, and each rule has its bad example', () => {
  expect(Object.values(POLICIES).flatMap((policy) => policy([ACCEPTED]))).toEqual([]);
  expect(Object.keys(BAD).toSorted()).toEqual(Object.keys(POLICIES).toSorted());
});
