import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T0, TestStore } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const put = (uid: string, version: string, deleted = false): void =>
  t.store.transaction((tx) => {
    const of = { uid, kind: 'Namespace', namespace: '', name: 'shop', ownerUid: undefined, version } as const;
    tx.objects.put({ ...of, deleted, overAt: deleted ? T0 : undefined, factsSchema: 1, state: { facts: {} } });
  });
const namespace = (): string | undefined => t.store.transaction((tx) => tx.objects.namespace('shop'))?.uid;

describe('the namespace of a name', () => {
  it('is the newest that lives, also while the end of the one before was not seen', () => {
    put('first', '999');
    put('again', '1000');
    expect(namespace()).toBe('again');
    put('again', '1001', true);
    expect(namespace()).toBe('first');
  });

  it('is one that is gone while none lives', () => {
    expect(namespace()).toBeUndefined();
    put('gone', '7', true);
    expect(namespace()).toBe('gone');
  });
});
