import { timeZone } from '../../bridge/kubernetes/time-zone.ts';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;

/** Zones that have the same offsets from UTC in some years, and when those change. */
export interface ZoneClass {
  readonly zones: readonly string[];
  /** [instant, offset from then on], both in seconds; the first is the beginning of the years. */
  readonly changes: readonly (readonly [number, number])[];
}

/** All zones that the runtime knows, by their offsets from `from` to `to`. */
export function zoneClasses(from: number, to: number): ZoneClass[] {
  const classes = new Map<string, { zones: string[]; changes: (readonly [number, number])[] }>();
  for (const name of Intl.supportedValuesOf('timeZone')) {
    const changes = changesOf(name, from, to);
    const key = JSON.stringify(changes);
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { zones: [name], changes });
    else known.zones.push(name);
  }
  return [...classes.values()];
}

function changesOf(name: string, from: number, to: number): (readonly [number, number])[] {
  const zone = timeZone(name);
  if (zone === undefined) throw new Error(`unknown zone: ${name}`);
  const step = 12 * HOUR_MS;
  const changes: (readonly [number, number])[] = [[from / 1000, zone.offsetAt(from) / 1000]];
  for (let at = from; at < to; at += step) {
    const offset = zone.offsetAt(at + step);
    if (offset === zone.offsetAt(at)) continue;
    let low = at;
    let high = at + step;
    while (high - low > SECOND_MS) {
      const middle = Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS;
      if (zone.offsetAt(middle) === offset) high = middle;
      else low = middle;
    }
    changes.push([high / 1000, offset / 1000]);
  }
  return changes;
}
