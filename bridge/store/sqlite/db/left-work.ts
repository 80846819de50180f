import type { Work } from '../../work.ts';

type Left = { -readonly [K in keyof Work]: Work[K] extends boolean ? boolean : Set<string> };

/** What was written for others to act on, until it is taken. After what was rolled back they may look for nothing. */
export class LeftWork {
  #left = nothing();

  /** The first intent of a lane may be another one. */
  intents(destination: string): void {
    this.#left.intents.add(destination);
  }

  desired(destination: string): void {
    this.#left.desired.add(destination);
  }

  journal(): void {
    this.#left.journal = true;
  }

  logs(): void {
    this.#left.logs = true;
  }

  events(): void {
    this.#left.events = true;
  }

  sweep(): void {
    this.#left.sweep = true;
  }

  /** Undefined when there is nothing to do. */
  take(): Work | undefined {
    const left = this.#left;
    if (Object.values(left).every((one) => one === false || (one instanceof Set && one.size === 0))) return undefined;
    this.#left = nothing();
    return left;
  }

  /** What `write` left, and nothing else. */
  of(write: () => void): Work | undefined {
    const before = this.#left;
    this.#left = nothing();
    try {
      write();
      return this.take();
    } finally {
      this.#left = before;
    }
  }
}

function nothing(): Left {
  return { intents: new Set(), desired: new Set(), journal: false, logs: false, events: false, sweep: false };
}
