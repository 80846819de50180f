import { z } from 'zod';
import type { Transition } from '../lifecycle/transition.ts';
import type { Json } from '../lib/json.ts';
import { canonicalJson } from '../lib/json.ts';
import { countReport } from '../policy/storm.ts';
import type { StormWindow } from '../policy/storm.ts';
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
  // What is planned again, as for a destination that was away, has been counted.
  const before = turn.tx.timeline.decision(id, destination);
  if (before?.verdict === 'planned') return intents;
  if (before?.reason === 'storm') return intents.filter(({ storm }) => storm === undefined);
  return intents.filter(({ storm: item }) => {
    if (item === undefined) return true;
    const key = keyOf(destination, item.scope);
    const before = read(turn, key);
    const { passes, window } = countReport(before?.window, { ...item, at }, rules.budget, turn.now);
    const first =
      window.left === undefined ? {} : { first: before?.window.left === undefined ? id : (before.first ?? id) };
    write(turn, key, { destination, scope: item.scope, window, ...first });
    if (window.left?.count === 1) setTimer(turn, key, window, rules.budget.windowMs);
    return passes;
  });
}

/** The window of a storm is over: what it left out becomes one digest. */
export function reportStorm(turn: Turn, key: string, id: string): void {
  const { tx, now, destinations } = turn;
  tx.timers.clear(id);
  const storm = read(turn, key);
  if (storm?.window.left === undefined || storm.first === undefined) return;
  const { destination, scope, window, first } = storm;
  tx.meta.set(key, '');
  const to = destinations.find(({ planner }) => planner.destination === destination);
  const { since, passed } = window;
  const digest = to?.planner.digest?.({ scope, since, until: now, passed, left: storm.window.left });
  for (const intent of digest ?? []) tx.timeline.enqueue(destination, first, intent, now);
}

/** Not later than a window after now: the clock may have been set back since it began. */
function setTimer({ tx, now }: Turn, key: string, { since }: StormWindow, windowMs: number): void {
  const due = Math.min(Math.max(since + windowMs, now), now + windowMs);
  tx.timers.set({ id: `storm/${key}`, kind: 'storm', uid: key, due });
}

function read({ tx }: Turn, key: string): Storm | undefined {
  const text = tx.meta.get(key);
  return text === undefined || text === '' ? undefined : stormSchema.safeParse(JSON.parse(text)).data;
}

function write({ tx }: Turn, key: string, storm: Storm): void {
  tx.meta.set(key, JSON.stringify(storm));
}

const keyOf = (destination: string, scope: Json): string => `storm/${destination}/${canonicalJson(scope)}`;
