import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ObjectRow } from '../../objects.ts';
import { Versions } from './versions.ts';
import { Db } from '../db/db.ts';
import { TestStore } from '../../testing/test-store.ts';

const uid = fc.constantFrom('a', 'b', 'c');
const version = fc.nat(9).map(String);
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('put' as const, 'roll back' as const), uid, version, deleted: fc.boolean() }),
  fc.record({ do: fc.constant('change elsewhere' as const), uid, version }),
  fc.record({ do: fc.constantFrom('remove elsewhere' as const, 'forget' as const, 'nothing' as const), uid }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function row({ uid, version, deleted }: Extract<Step, { deleted: boolean }>): ObjectRow {
  const place = { kind: 'Job', namespace: 'shop', ownerUid: undefined } as const;
  return { uid, ...place, name: uid, version, deleted, state: { facts: {} } };
}

function onAnotherConnection<T>(t: TestStore, work: (db: Db) => T): T {
  const db = new Db(t.path, false);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function take(t: TestStore, step: Step): void {
  const write = (text: string, ...params: string[]) => onAnotherConnection(t, (db) => db.run(text, ...params));
  if (step.do === 'put') t.store.transaction((tx) => tx.objects.put(row(step)));
  if (step.do === 'forget') t.store.transaction((tx) => tx.versions.forget('Job'));
  if (step.do === 'change elsewhere') write('UPDATE objects SET version = ? WHERE uid = ?', step.version, step.uid);
  if (step.do === 'remove elsewhere') write('DELETE FROM objects WHERE uid = ?', step.uid);
  if (step.do !== 'roll back') return;
  const fails = () =>
    t.store.transaction((tx) => {
      tx.objects.put(row(step));
      tx.versions.liveSum('Job');
      throw new Error('rolled back');
    });
  expect(fails).toThrow('rolled back');
}

it('the sum of live objects is that of their rows, whoever wrote them last', () => {
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const t = new TestStore();
    try {
      for (const step of steps) {
        take(t, step);
        const counted = onAnotherConnection(t, (db) => new Versions(db).liveSum('Job'));
        expect(t.store.transaction((tx) => tx.versions.liveSum('Job'))).toEqual(counted);
      }
    } finally {
      t.remove();
    }
  });
  fc.assert(property, { numRuns: 30 });
});
