import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Transition } from '../lifecycle/transition.ts';
import type { Intent } from '../sinks/sink.ts';
import { DESTINATION, TestStore } from '../store/testing/test-store.ts';
import type { Destination } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';
import { planFor } from './announce.ts';
import type { Known } from './known-run.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const budget = { most: 3, mostOfOne: 3, windowMs: 60_000 };
const known = { contextOf: () => ({}) } as unknown as Known;

/** Plans two reports of one happening, and what is in no budget beside them. */
function plan(id: string, now = t.now): void {
  const intent = (key: string): Intent => ({ key: `${id}/${key}`, lane: id, payload: null, limits: [] });
  const storm = { scope: {}, group: id, what: 'a failure' };
  const intents = [{ ...intent('one'), storm }, { ...intent('two'), storm }, intent('other')];
  const transition = { id, kind: 'container.terminated', at: now, about: {} } as unknown as Transition;
  const planner = { destination: DESTINATION, reads: {}, storm: { budget }, plan: () => ({ intents }) };
  const to = { planner, rule: { cutoff: 0, running: 'announce' } } as unknown as Destination;
  t.store.transaction((tx) => {
    const turn = { tx, now, destinations: [] } as unknown as Turn;
    planFor(turn, to, { known }, transition);
  });
}

const sent = () => t.query<{ key: string }>('SELECT key FROM intents ORDER BY seq').map(({ key }) => key);
const decisions = () => t.query('SELECT transition_id AS id, verdict, reason, detail FROM decisions ORDER BY id');

it('of what is over budget in part, the rest is never sent one by one, however often it is planned again', () => {
  plan('a');
  plan('b');
  const all = ['a/one', 'a/two', 'a/other', 'b/one', 'b/other'];
  expect(sent()).toEqual(all);
  plan('b');
  plan('b', t.now + 10 * budget.windowMs);
  plan('a', t.now + 10 * budget.windowMs);
  expect(sent()).toEqual(all);
});

it('says of what is over budget in part that a part was left out', () => {
  plan('a');
  plan('b');
  expect(decisions()).toEqual([
    { id: 'a', verdict: 'planned', reason: null, detail: null },
    { id: 'b', verdict: 'planned', reason: 'storm', detail: '1 of 3 reports' },
  ]);
});
