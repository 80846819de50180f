import type { Plan } from '../../kubernetes/plan.ts';
import type { KeepsAnnotation } from '../../kubernetes/annotations.ts';
import { plansOf } from '../../kubernetes/kinds.ts';
import { ALWAYS } from '../../kubernetes/followed.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import { IDENTITY } from '../../kubernetes/plan.ts';
import { isSame } from './wire.ts';

/**
 * What to make of a value. `whole`: all of it. `body`, `object`: decided by what the map says it is (its kind).
 * A function: the scalars of a map whose keys it keeps.
 */
export type Wanted = 'whole' | 'scalar' | 'body' | 'object' | ((key: string) => unknown) | Level;

/** One wanted key of a map. */
interface Slot {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly wanted: Wanted;
  readonly next: Slot | undefined;
}

const SLOTS = 64;

/** The wanted keys of a map, found by their bytes. */
export class Level {
  readonly #slots: (Slot | undefined)[] = Array.from({ length: SLOTS });

  constructor(fields: Readonly<Record<string, Wanted>>) {
    for (const [key, wanted] of Object.entries(fields)) {
      const bytes = Buffer.from(key);
      const slot = slotOf(bytes, 0, bytes.length);
      this.#slots[slot] = { key, bytes, wanted, next: this.#slots[slot] };
    }
  }

  find(bytes: Uint8Array, start: number, stop: number): Slot | undefined {
    let slot = this.#slots[slotOf(bytes, start, stop)];
    while (slot !== undefined && !isSame(slot.bytes, bytes, start, stop)) slot = slot.next;
    return slot;
  }
}

function slotOf(bytes: Uint8Array, start: number, stop: number): number {
  if (start === stop) return 0;
  return (bytes[start]! + 7 * bytes[stop - 1]! + 31 * (stop - start)) & (SLOTS - 1);
}

function compile(plan: Plan): Wanted {
  if (typeof plan !== 'object') return plan;
  return new Level(Object.fromEntries(Object.entries(plan).map(([field, inside]) => [field, compile(inside)])));
}

/** What is made of objects, by `apiVersion/kind`. */
export type Levels = ReadonlyMap<string, Wanted>;

export function levelsOf(kinds: readonly Kind[], keeps?: KeepsAnnotation): Levels {
  return new Map([...plansOf(kinds, keeps)].map(([name, plan]) => [name, compile(plan)]));
}

/** Of what is always followed. */
export const ALWAYS_LEVELS = levelsOf(ALWAYS);
const IDENTITY_LEVEL = compile(IDENTITY);
/** A body as a watch makes it. */
const WATCH = new Level({ type: 'scalar', object: 'object' });

/** What a map says of itself: its keys of these names. */
export interface Said {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly object?: unknown;
}

/** What is wanted of an object of this kind; of one that is not among them, only what it is. */
export function levelOfObject(levels: Levels, { apiVersion, kind }: Said): Wanted {
  const known = typeof apiVersion === 'string' && typeof kind === 'string';
  return (known ? levels.get(`${apiVersion}/${kind}`) : undefined) ?? IDENTITY_LEVEL;
}

/** What is wanted of a body: watch-shaped, or the object itself. */
export function levelOfBody(levels: Levels, said: Said): Wanted {
  return said.object === undefined ? levelOfObject(levels, said) : WATCH;
}

/** The keys that say what a map is. */
export const SAID = new Level({ apiVersion: 'scalar', kind: 'scalar', object: 'scalar' });
