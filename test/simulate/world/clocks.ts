import type { Scheduler } from '../scheduler.ts';

/** The clocks of the cluster's components: each a little wrong, in ms. */
export class Clocks {
  readonly #scheduler: Scheduler;
  readonly #skew: { readonly api: number; readonly manager: number; readonly kubelet: number };

  constructor(
    scheduler: Scheduler,
    skew: { readonly api: number; readonly manager: number; readonly kubelet: number },
  ) {
    this.#scheduler = scheduler;
    this.#skew = skew;
  }

  api(): number {
    return this.#scheduler.now + this.#skew.api;
  }

  manager(): number {
    return this.#scheduler.now + this.#skew.manager;
  }

  kubelet(): number {
    return this.#scheduler.now + this.#skew.kubelet;
  }
}
