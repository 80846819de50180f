import type { Exemplar, Format, Labels } from './exposition.ts';
import { boundText, sampleLine } from './exposition.ts';

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
    const buckets = this.#buckets.map(({ count: own, exemplar }, at) => {
      count += own;
      const le = boundText(this.#bounds[at]!, format);
      return sampleLine(`${name}_bucket`, { ...labels, le }, count, format, exemplar);
    });
    const sum = sampleLine(`${name}_sum`, labels, this.#sum, format);
    return [...buckets, sum, sampleLine(`${name}_count`, labels, count, format)].join('');
  }
}
