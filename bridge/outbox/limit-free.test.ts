import { expect, it } from 'vitest';
import { DESTINATION, HOUR, TestStore } from '../store/testing/test-store.ts';
import { startDispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, startVendor, until } from './fixtures.ts';

it('a loop goes on by itself when a limit becomes free while the store is asked', async () => {
  const t = new TestStore();
  const silent = await startVendor(() => {});
  t.enqueue(...['a', 'b', 'c'].map((key) => ({ key, limits: [{ key: 'm', perSecond: 5 }] })));
  const store = new LateStore(() => t.store);
  const claim = store.claim.bind(store);
  store.claim = async (...args) => {
    const claimed = await claim(...args);
    t.now += 300;
    return claimed;
  };
  const deliverers = [plainDeliverer(DESTINATION, silent)];
  // Longer than the test: nothing but the limit makes it look.
  const dispatcher = startDispatcher({
    store,
    deliverers,
    clock: { now: () => t.now },
    maxAgeMs: HOUR,
    tickMs: 60_000,
  });
  await until(() => silent.seen.length === 3);
  expect(silent.seen.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  await dispatcher.stop(0);
  await silent.close();
  t.remove();
});
