import { Killed } from './disk.ts';
import type { Random } from './random.ts';
import { whole } from './random.ts';
import type { Program, Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';

/** What leaves the process: the answer to an export, or a request to a vendor. */
export type Leaving = 'answer' | 'request';

export interface DeathOptions {
  readonly scheduler: Scheduler;
  readonly program: Program;
  readonly random: Random;
  /** Ends its other thread, in the middle of what that does. */
  readonly onThread: () => void;
  readonly onDeath: (why: string) => void;
}

/** How the process of a life is killed: now, in the middle of a commit, or right after something has left it. */
export class Death {
  readonly #options: DeathOptions;
  /** Steps on the disk until the one that it does not survive. */
  #steps = Infinity;
  #after: Leaving | undefined;
  #isDying = false;
  /** Of its store, on the simulated disk. */
  commits = 0;

  constructor(options: DeathOptions) {
    this.#options = options;
  }

  /** In the middle of the disk's step number `steps` from now; 0: at once. */
  at(steps: number): void {
    if (steps > 0) this.#steps = steps;
    else this.#options.onDeath('killed');
  }

  /** Once the next of these has left: nothing that it would write then reaches the disk. */
  after(leaving: Leaving): void {
    this.#after = leaving;
  }

  /** What it was to be killed after, and has not been yet: who starts after it is. */
  get waitsFor(): Leaving | undefined {
    return this.#after;
  }

  /** It stays alive. */
  spare(): void {
    this.#steps = Infinity;
    this.#after = undefined;
  }

  left(leaving: Leaving): void {
    if (this.#after !== leaving) return;
    this.#after = undefined;
    this.#steps = 1;
    this.#soon(`killed after ${leaving === 'answer' ? 'an answer' : 'a request'}`);
  }

  committed(): void {
    this.commits++;
  }

  /** Before each step on the disk. */
  step(): void {
    const { program, onThread } = this.#options;
    if (!program.alive || this.#steps <= 0) throw new Killed('dead');
    if (--this.#steps > 0) return;
    // A commit takes a moment, in which the other thread goes on: it hears, and passes on, what was posted before.
    onThread();
    this.#soon('killed in the middle of a commit');
    throw new Killed('killed');
  }

  #soon(why: string): void {
    if (this.#isDying) return;
    this.#isDying = true;
    const { scheduler, random, onDeath } = this.#options;
    scheduler.in(whole(random, 0, 5), () => onDeath(why), WORLD);
  }
}
