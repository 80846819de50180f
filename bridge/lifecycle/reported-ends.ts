/** Which ends of one container were reported. It stays small however often the container restarts. */
export interface ReportedEnds {
  readonly container: string;
  /** Restart counts, as ranges from–to in their order. */
  readonly instances: readonly Range[];
  /** The runtime's ids of the last few, the newest last: kubelet shows two, and may count from 0 again. */
  readonly ids?: readonly string[];
}

type Range = readonly [from: number, to: number];

/** More than one means that ends in between were not seen; beyond this number the oldest two ranges become one. */
const MAX_RANGES = 8;
const MAX_IDS = 4;

/** How an end is found: the restart count, and the runtime's id of what ended, if there is one. */
export interface EndKey {
  readonly container: string;
  readonly instance: number;
  readonly id: string | undefined;
}

/**
 * Whether an end was reported: `no`, `yes`, or `recounted` when it was not, but another one with the same count was
 * (a node that lost its logs counts from 0 again). Only a record newer than all before (`newer`) proves that.
 */
export function wasReported(all: readonly ReportedEnds[], end: EndKey, newer: boolean): 'no' | 'yes' | 'recounted' {
  const { container, instance, id } = end;
  const reported = all.find((candidate) => candidate.container === container);
  if (reported === undefined) return 'no';
  if (id !== undefined && reported.ids?.includes(id)) return 'yes';
  if (!reported.instances.some(([from, to]) => from <= instance && instance <= to)) return 'no';
  return id !== undefined && newer ? 'recounted' : 'yes';
}

/** With one more end. */
export function withReported(all: readonly ReportedEnds[], end: EndKey, newer: boolean): readonly ReportedEnds[] {
  const { container, instance, id } = end;
  const reported = all.find((candidate) => candidate.container === container);
  const { instances, ids = [] } = reported ?? { instances: [] };
  // Ids from old records are forgotten first: the newest record does not show them any more.
  const kept = id === undefined ? ids : (newer ? [...ids, id] : [id, ...ids]).slice(-MAX_IDS);
  const next = { container, instances: withInstance(instances, instance), ...(kept.length > 0 && { ids: kept }) };
  return reported === undefined ? [...all, next] : all.map((candidate) => (candidate === reported ? next : candidate));
}

function withInstance(ranges: readonly Range[], instance: number): readonly Range[] {
  const merged: Range[] = [];
  const all: Range[] = [...ranges, [instance, instance]];
  for (const [from, to] of all.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) merged[merged.length - 1] = [last[0], Math.max(last[1], to)];
    else merged.push([from, to]);
  }
  const [first, second, ...rest] = merged;
  return merged.length > MAX_RANGES ? [[first![0], second![1]], ...rest] : merged;
}
