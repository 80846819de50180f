import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Event } from './random-cluster.ts';
import { RandomCluster } from './random-cluster.ts';
import { Records } from './world.ts';

const STEPS = 200;
const steps = fc.array(fc.nat(1_000_000), { minLength: STEPS, maxLength: STEPS });

function withBridge(work: (bridge: Records) => void): void {
  const bridge = new Records();
  try {
    work(bridge);
  } finally {
    bridge.engine.close();
  }
}

function take(bridge: Records, events: readonly Event[]): void {
  for (const { facts, deleted } of events) bridge.take([facts], { deleted });
}

/** What differs between the records and what runs, in words. */
function drift(bridge: Records, cluster: RandomCluster): string[] {
  const records = new Map(bridge.records.map((record) => [record.deployment_name, record]));
  const [running, held] = [cluster.running(), cluster.held()];
  const missing = [...running].flatMap(([name, digests]) => {
    const { status, digest = '' } = records.get(name) ?? {};
    return status === 'deployed' && digests.has(digest) ? [] : [`${name} runs, and its record is ${status} ${digest}`];
  });
  const left = [...records].flatMap(([name, { status }]) =>
    status === 'deployed' && !running.has(name) && !held.has(name)
      ? [`${name} is gone, and its record is deployed`]
      : [],
  );
  return [...missing, ...left];
}

it('after each of 200 random operations the records are what runs, and nothing is decommissioned that a workload still wants', () => {
  const property = (numbers: readonly number[]): void =>
    withBridge((bridge) => {
      const cluster = new RandomCluster();
      const deployed = new Set<string>();
      for (const number of numbers) {
        take(bridge, cluster.step(number));
        expect(drift(bridge, cluster)).toEqual([]);
        const [running, held] = [cluster.running(), cluster.held()];
        for (const name of deployed) if (!running.has(name) && !held.has(name)) deployed.delete(name);
        for (const name of running.keys()) deployed.add(name);
        const said = bridge.records
          .filter(({ status }) => status === 'deployed')
          .map((record) => record.deployment_name);
        expect(said.toSorted()).toEqual([...deployed].toSorted());
      }
    });
  fc.assert(fc.property(steps, property), { numRuns: 3, endOnFailure: true });
});

it('after 200 random operations with restarts, records in another order and outages, the audit leaves no drift', () => {
  const property = (numbers: readonly number[]): void =>
    withBridge((bridge) => {
      const cluster = new RandomCluster();
      let waiting: Event[] = [];
      let isDown = false;
      for (const number of numbers) {
        const events = cluster.step(number);
        const fate = Math.floor(number / 1_000) % 12;
        if (fate === 0) isDown = !isDown;
        if (fate === 1) bridge.restart();
        if (!isDown) waiting.push(...events);
        if (fate < 3) continue;
        take(
          bridge,
          waiting.toSorted((a, b) => hash(a.facts.uid, number) - hash(b.facts.uid, number)),
        );
        waiting = [];
      }
      cluster.collectGarbage();
      bridge.audit(cluster.live);
      expect(drift(bridge, cluster)).toEqual([]);
    });
  fc.assert(fc.property(steps, property), { numRuns: 3, endOnFailure: true });
});

/** An order of objects that differs from number to number. */
function hash(text: string, number: number): number {
  return Array.from(text).reduce((sum, character) => (sum * 31 + character.charCodeAt(0) + number) % 9_973, 7);
}
