import type { Destinations, Exception } from './destinations.ts';
import { rollBack, upgrade } from './release.ts';
import type { Scheduler } from './scheduler.ts';

/** How the bridge is changed: its configuration, or its release. */
export type Reconfigure = Exception['kind'] | 'added' | 'renamed' | 'upgraded';

export interface OperatorOptions {
  readonly scheduler: Scheduler;
  readonly destinations: Destinations;
  /** Restarts the bridge, so that it reads its configuration again. */
  readonly restart: () => void;
}

/** Who changes the configuration of the bridge, and changes it back after a while. */
export class Operator {
  readonly #options: OperatorOptions;
  #count = 0;
  /** Name of the Cronitor destination that there is always. */
  #main = 'default';
  /** What is to be changed back. */
  readonly #open = new Set<() => void>();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  change(how: Reconfigure, ms: number, namespace: string): void {
    const { destinations, restart } = this.#options;
    const extra = `extra-${this.#count++}`;
    if (how === 'added') {
      destinations.add('cronitor', extra);
      this.#later(ms, () => destinations.remove('cronitor', extra));
    } else if (how === 'renamed') {
      destinations.add('cronitor', extra);
      destinations.remove('cronitor', this.#main);
      this.#main = extra;
    } else if (how === 'upgraded') {
      upgrade();
      this.#later(ms, rollBack);
    } else {
      const exception = { kind: how, ...(how === 'excluded' && { namespace }) };
      // All keys are rotated at once.
      const all = how === 'rotated' ? destinations.names() : [['cronitor', this.#main] as const];
      const backs = all.map(([sink, name]) => destinations.except(sink, name, exception));
      this.#later(ms, () => backs.forEach((back) => back()));
      // A key that is not known yet is refused until the bridge gets it.
      if (how === 'rotated') return;
    }
    restart();
  }

  /** Everything is set as it was. */
  restore(): void {
    for (const back of this.#open) back();
    this.#open.clear();
  }

  #later(ms: number, back: () => void): void {
    this.#open.add(back);
    this.#options.scheduler.in(ms, () => {
      if (!this.#open.delete(back)) return;
      back();
      this.#options.restart();
    });
  }
}
