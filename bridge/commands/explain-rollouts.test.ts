import { afterEach, beforeEach, expect, it } from 'vitest';
import { seen, T0 } from '../../test/fixtures/facts.ts';
import { withNeeded } from '../kubernetes/followed.ts';
import { TestEngine } from '../ingest/test-engine.ts';
import { at, deployment, progress, replicaSet } from '../lifecycle/testing/rollouts.ts';
import { explainCommand } from './explain.ts';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine({ engine: { kinds: withNeeded(['Deployment']), lookbackMs: 0 } });
  bridge.restart(undefined, T0);
  const failed = deployment({
    generation: 2,
    observedGeneration: 2,
    revision: 2,
    updated: 1,
    replicas: 4,
    conditions: [progress('ProgressDeadlineExceeded', 'web-b', 30, { status: 'False' })],
    resourceVersion: '130',
  });
  const second = replicaSet('b', { revision: 2, createdAt: at(10), available: 0, resourceVersion: '120' });
  bridge.take([seen(deployment({ createdAt: T0 - 1 })), seen(replicaSet('a', { createdAt: T0 - 1 }))]);
  bridge.take([seen(second), seen(failed)]);
});
afterEach(() => bridge.close());

async function explain(subject: string): Promise<string> {
  const printed: string[] = [];
  await explainCommand([subject, '--store', bridge.path], { env: {}, print: (text) => void printed.push(text) });
  return printed.join('\n');
}

it.each(['shop/web', 'shop/deployment/web', 'shop/Deploy/web'])(
  'explain %s lists the rollouts of it',
  async (subject) => {
    const text = await explain(subject);
    expect(text).toMatch(/ failed +web, revision 2 of the Deployment +\S+ +ProgressDeadlineExceeded/);
    expect(text).toMatch(/ succeeded +web, revision 1 of the Deployment/);
  },
);

it('explain of one says how it went, and that no destination hears of it', async () => {
  const uid = bridge.reader.runs({ limit: 1 }).items[0]!.uid;
  const text = await explain(uid);
  expect(text).toContain('shop/web, revision 2 of the Deployment: failed');
  expect(text).toContain('rolls out revision 2: shop/web:b');
  expect(text).toContain('Nothing has happened so far that is reported to a destination.');
});

it('explain knows no other kinds', async () => {
  await expect(explain('shop/service/web')).rejects.toThrow('"service" is not a kind that has runs');
  await expect(explain('shop/statefulset/web')).rejects.toThrow('nothing is known about shop/statefulset/web');
});
