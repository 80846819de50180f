import { z } from 'zod';
import type { Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { canonicalJson, readJson } from '../lib/json.ts';
import { countReport } from '../policy/storm.ts';
import type { Intent } from '../sinks/sink.ts';
import type { Destination } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';

const counts = z.record(z.string(), z.number());
const windowSchema = z.object({
  since: z.number(),
  passed: z.number(),
  groups: counts,
  left: z
    .object({ count: z.number(), kinds: counts, others: z.number(), firstAt: z.number(), lastAt: z.number() })
    .exactOptional(),
});

/** What is stored of the window of one scope; `first`: the transition that was left out first. */
const stormSchema = z.object({
  destination: z.string(),
  scope: z.json(),
  window: windowSchema,
  first: z.string().exactOptional(),
});
type Storm = z.infer<typeof stormSchema>;

/** A digest waits for its destination to be configured again: this long between two looks, and in all. */
const AWAY_MS = 3_600_000;
const MOST_AWAY_MS = 7 * 24 * AWAY_MS;

/**
 * Those intents of a transition that the budget of the destination lets pass; what does not is counted, and reported by one
 * digest when its window is over. Intents that are in no budget always pass.
 */
export function withinBudget(
  turn: Turn,
  { planner: { destination, storm: rules } }: Destination,
  { id, at }: Transition,
  intents: readonly Intent[],
): readonly Intent[] {
  if (rules === undefined || intents.every(({ storm }) => storm === undefined)) return intents;
  // What is planned again, as for a destination that was away, has been counted: what passed of it is queued already.
  const before = turn.tx.timeline.decision(id, destination);
  if (before?.reason === 'storm') return intents.filter(({ storm }) => storm === undefined);
  if (before?.verdict === 'planned') return intents;
  return intents.filter(({ storm: item }) => {
    if (item === undefined) return true;
    const key = keyOf(destination, item.scope);
    const before = read(turn, key);
    const { passes, window } = countReport(before?.window, { ...item, at }, rules.budget, turn.now);
    const first =
      window.left === undefined ? {} : { first: before?.window.left === undefined ? id : (before.first ?? id) };
    turn.tx.meta.set(key, JSON.stringify({ destination, scope: item.scope, window, ...first } satisfies Storm));
    if (before?.window.since !== window.since) setTimer(turn, key, window.since + rules.budget.windowMs);
    return passes;
  });
}

/** A window is over: nothing of it is kept, and what it left out becomes one digest. */
export function endStormWindow(turn: Turn, key: string, id: string): void {
  const { tx, now, destinations } = turn;
  tx.timers.clear(id);
  const storm = read(turn, key);
  if (storm?.window.left === undefined || storm.first === undefined) return tx.meta.delete(key);
  const { destination, scope, first } = storm;
  const { since, passed, left } = storm.window;
  const to = destinations.find(({ planner }) => planner.destination === destination);
  if (to === undefined && now < since + MOST_AWAY_MS) return setTimer(turn, key, now + AWAY_MS);
  tx.meta.delete(key);
  const digest = to?.planner.digest?.({ scope, since, until: now, passed, left });
  for (const intent of digest ?? []) tx.timeline.enqueue(destination, first, intent, now);
}

function setTimer({ tx }: Turn, key: string, due: Instant): void {
  tx.timers.set({ id: `storm/${key}`, kind: 'storm', uid: key, due });
}

function read({ tx }: Turn, key: string): Storm | undefined {
  const text = tx.meta.get(key);
  return text === undefined ? undefined : stormSchema.safeParse(readJson(text)).data;
}

const keyOf = (destination: string, scope: Json): string => `storm/${destination}/${canonicalJson(scope)}`;
