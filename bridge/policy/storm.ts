import type { Instant } from '../lib/clock.ts';
import type { LeftOut, StormBudget } from '../lib/storm.ts';

/** A window of one scope, as it is stored. It begins with its first report. */
export interface StormWindow {
  readonly since: Instant;
  readonly passed: number;
  /** How many passed of each group; empty once nothing more passes. */
  readonly groups: Readonly<Record<string, number>>;
  /** What was left out, if anything. */
  readonly left?: LeftOut;
}

/** What is reported, and in which budget it counts. */
export interface StormItem {
  readonly group: string;
  /** In a few words, for the digest. */
  readonly what: string;
  readonly at: Instant;
}

const MAX_KINDS = 50;

/** Whether a report passes, and the window with it counted. A window that is over is followed by a new one. */
export function countReport(
  before: StormWindow | undefined,
  item: StormItem,
  budget: StormBudget,
  now: Instant,
): { readonly passes: boolean; readonly window: StormWindow } {
  const window = isOpen(before, budget, now) ? before : { since: now, passed: 0, groups: {} };
  const ofGroup = window.groups[item.group] ?? 0;
  const passes = window.passed < budget.most && ofGroup < budget.mostOfOne;
  if (!passes) return { passes, window: { ...window, left: counted(window.left, item) } };
  const passed = window.passed + 1;
  const groups = passed < budget.most ? { ...window.groups, [item.group]: ofGroup + 1 } : {};
  return { passes, window: { ...window, passed, groups } };
}

/** One with something left out stays open until that is reported, also where the clock was set back. */
function isOpen(window: StormWindow | undefined, { windowMs }: StormBudget, now: Instant): window is StormWindow {
  if (window === undefined) return false;
  return window.left !== undefined || (now >= window.since && now < window.since + windowMs);
}

function counted(left: LeftOut | undefined, { what, at }: StormItem): LeftOut {
  const { count, kinds, others, firstAt, lastAt } = left ?? { count: 0, kinds: {}, others: 0, firstAt: at, lastAt: at };
  const isKept = Object.hasOwn(kinds, what) || Object.keys(kinds).length < MAX_KINDS;
  return {
    count: count + 1,
    kinds: isKept ? { ...kinds, [what]: (kinds[what] ?? 0) + 1 } : kinds,
    others: isKept ? others : others + 1,
    firstAt: Math.min(firstAt, at),
    lastAt: Math.max(lastAt, at),
  };
}
