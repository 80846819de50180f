import type { Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';

/** What may be wrong between the programs for a while. */
export type Trouble =
  /** The bridge gets no answer of the API server. */
  | 'api-cut'
  /** The API server answers 500 or 429. */
  | 'api-errors'
  /** The Collector's watches break; they go on from where they were, if that is not too old. */
  | 'watches-cut'
  /** Exports do not arrive. */
  | 'link-cut'
  /** Exports arrive, and their answers are lost. */
  | 'link-mute'
  | 'vendor-refuses'
  | 'vendor-slow'
  /** The vendor does what it is asked, and the answer is lost. */
  | 'vendor-lost'
  | 'vendor-500'
  /** It takes nothing, and says so. */
  | 'vendor-503'
  | 'vendor-429'
  | 'vendor-401'
  | 'disk-full';

/** Each as often as it stands here. */
export const TROUBLES: readonly Trouble[] = [
  'api-cut',
  'api-errors',
  'watches-cut',
  'watches-cut',
  'link-cut',
  'link-mute',
  'vendor-refuses',
  'vendor-slow',
  'vendor-lost',
  'vendor-500',
  'vendor-429',
  'vendor-401',
  'disk-full',
];

/** Which troubles there are now. */
export class Weather {
  readonly #scheduler: Scheduler;
  readonly #until = new Map<Trouble, number>();
  readonly #history: { readonly trouble: Trouble; readonly from: number; readonly to: number }[] = [];
  onChange: (trouble: Trouble) => void = () => undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  is(trouble: Trouble): boolean {
    return (this.#until.get(trouble) ?? 0) > this.#scheduler.now;
  }

  set(trouble: Trouble, ms: number): void {
    const to = this.#scheduler.now + ms;
    this.#history.push({ trouble, from: this.#scheduler.now, to });
    this.#until.set(trouble, Math.max(to, this.#until.get(trouble) ?? 0));
    this.onChange(trouble);
    this.#scheduler.at(to, () => this.onChange(trouble), WORLD);
  }

  /** Whether there was this trouble at any time between two moments. */
  was(trouble: Trouble, from: number, to: number): boolean {
    return this.#history.some((one) => one.trouble === trouble && one.from <= to && one.to >= from);
  }
}
