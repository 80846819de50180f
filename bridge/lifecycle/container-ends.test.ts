import { beforeAll, describe, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../test/fixtures/facts.ts';
import type { RecordedObject } from '../../test/fixtures/recorded.ts';
import { recordedObjects } from '../../test/fixtures/recorded.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../kubernetes/fields.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import { containerEnds, stuckContainer } from './containers.ts';

let pods: RecordedObject[];

beforeAll(async () => {
  pods = (await recordedObjects()).filter(({ object }) => object['kind'] === 'Pod');
});

/** `container start`, which only its runtime knows, of each end in a pod's status. */
function runtimeIds(object: KubeObject): Map<string, string> {
  const status = objectAt(object, 'status');
  const ids = new Map<string, string>();
  for (const container of ['containerStatuses', 'initContainerStatuses'].flatMap((field) => objectsAt(status, field))) {
    for (const state of ['state', 'lastState']) {
      const end = objectAt(objectAt(container, state), 'terminated');
      const id = textAt(end, 'containerID');
      if (id !== undefined) ids.set(`${textAt(container, 'name')} ${Date.parse(textAt(end, 'finishedAt') ?? '')}`, id);
    }
  }
  return ids;
}

describe('the instance of a container end', () => {
  it('stands for one container of the runtime, and each of those for one instance', () => {
    const idOf = new Map<string, Set<string>>();
    const instanceOf = new Map<string, Set<string>>();
    for (const { object } of pods) {
      const facts = KINDS.Pod.read(object);
      const ids = runtimeIds(object);
      for (const { container, instance, termination } of containerEnds(facts)) {
        const id = ids.get(`${container.name} ${termination.finishedAt}`);
        if (id === undefined) continue;
        const key = `${facts.uid}/${container.name}/${instance}`;
        idOf.set(key, (idOf.get(key) ?? new Set()).add(id));
        instanceOf.set(id, (instanceOf.get(id) ?? new Set()).add(key));
      }
    }
    expect(idOf.size).toBeGreaterThan(30);
    expect([...idOf].filter(([, ids]) => ids.size !== 1)).toEqual([]);
    expect([...instanceOf].filter(([, keys]) => keys.size !== 1)).toEqual([]);
  });

  it('counts the six lives of a container that crashes, whichever state shows its end', () => {
    const ledger = pods.map(({ object }) => KINDS.Pod.read(object)).filter(({ name }) => name === 'ledger-0');
    const instances = ledger.flatMap((facts) => containerEnds(facts).map(({ instance }) => instance));
    expect([...new Set(instances)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is not made up for a container that the runtime never had', () => {
    const pulled = pods
      .map(({ object }) => KINDS.Pod.read(object))
      .filter(({ name }) => name.startsWith('import-legacy'));
    const ends = pulled.flatMap((facts) => containerEnds(facts));
    expect(new Set(ends.map(({ instance, termination }) => `${instance} ${termination.reason}`))).toEqual(
      new Set(['0 ContainerStatusUnknown']),
    );
  });

  it('is none for an end before the first start', () => {
    const running = container({ restartCount: 0, runningSince: T0, lastTerminated: terminated(1, T0) });
    expect(containerEnds(podFacts({ containers: [running] }))).toEqual([]);
  });
});

describe('a waiting reason', () => {
  it.each(['constructor', 'toString', '__proto__', 'ContainerCreating', 'PodInitializing'])(
    '%s is not stuck',
    (reason) => {
      expect(
        stuckContainer(podFacts({ containers: [container({ waiting: { reason, message: undefined } })] })),
      ).toBeUndefined();
    },
  );
});
