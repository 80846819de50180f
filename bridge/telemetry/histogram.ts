import type { Exemplar, Format, Labels } from './exposition.ts';
import { boundText, labelPairs, pairsLine } from './exposition.ts';

/** A histogram of Prometheus with the last exemplar of each bucket. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #buckets: { count: number; exemplar?: Exemplar }[];
  #sum = 0;

  /** `bounds`: upper ones, ascending, without +Inf. */
  constructor(bounds: readonly number[]) {
    this.#bounds = [...bounds, Infinity];
    this.#buckets = this.#bounds.map(() => ({ count: 0 }));
  }

  record(value: number, exemplar: Exemplar): void {
    const bucket = this.#buckets[this.#bounds.findIndex((bound) => value <= bound)]!;
    bucket.count++;
    bucket.exemplar = exemplar;
    this.#sum += value;
  }

  text(name: string, labels: Labels, format: Format): string {
    let count = 0;
    const pairs = labelPairs(labels);
    const before = pairs === '' ? '' : `${pairs},`;
    const buckets = this.#buckets.map(({ count: own, exemplar }, at) => {
      count += own;
      const le = boundText(this.#bounds[at]!, format);
      return pairsLine(`${name}_bucket`, `${before}le="${le}"`, count, format, exemplar);
    });
    const sum = pairsLine(`${name}_sum`, pairs, this.#sum, format);
    return [...buckets, sum, pairsLine(`${name}_count`, pairs, count, format)].join('');
  }
}
