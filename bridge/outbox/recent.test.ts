import { expect, it } from 'vitest';
import type { Deliverer, SentIntent } from '../sinks/sink.ts';
import { DELIVERED, DESTINATION, MINUTE, SECOND, T0, TestStore } from '../store/testing/test-store.ts';
import { startDispatcher } from './dispatcher.ts';
import { LateStore, plainDeliverer, until } from './fixtures.ts';

it('what was sent just before is given to a sink that counts it, before it sends anything, also where the store fails first', async () => {
  const t = new TestStore();
  const store = new LateStore(() => t.store);
  t.enqueue({ key: 'before', payload: 'before' });
  t.settle(t.claim(), DELIVERED);
  t.restart(SECOND);
  t.enqueue({ key: 'after' });
  const order: unknown[] = [];
  const errors: unknown[] = [];
  const recent = { ms: MINUTE, resume: (sent: readonly SentIntent[]) => void order.push(...sent) };
  const deliver: Deliverer['deliver'] = (batch) => {
    order.push(...batch.map(({ key }) => key));
    return Promise.resolve(batch.map(() => DELIVERED));
  };
  store.failures = 1;
  const vendor = { url: '', seen: [], close: () => Promise.resolve() };
  const dispatcher = startDispatcher({
    store,
    deliverers: [plainDeliverer(DESTINATION, vendor, { recent, deliver })],
    clock: { now: () => t.now },
    maxAgeMs: MINUTE,
    onError: (error) => errors.push(error),
    tickMs: 5,
  });
  await until(() => t.delivery('after').status === 'delivered');
  await dispatcher.stop(0);
  t.remove();
  expect(order).toEqual([{ payload: 'before', at: T0, times: 1 }, 'after']);
  expect(errors).toHaveLength(1);
});
