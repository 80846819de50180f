interface Open {
  readonly end: () => void;
  /** Since when nothing is under way, in ms of the process. */
  idleSince: number;
  busy: number;
  used: boolean;
}

/**
 * A number of connections that is never exceeded. For a new one, the connection that was idle for longest is ended, so that
 * idle ones do not keep others out. One that was used before is spared for `spareMs`, and while others are idle.
 */
export class ConnectionLimit {
  readonly #max: number;
  readonly #spareMs: number;
  readonly #open = new Map<object, Open>();

  constructor(max: number, spareMs = 0) {
    this.#max = max;
    this.#spareMs = spareMs;
  }

  /** Counts a connection. `ended`: another one was ended for it; `full`: no room, it is not counted. */
  add(connection: object, end: () => void): 'added' | 'ended' | 'full' {
    const isFull = this.#open.size >= this.#max;
    if (isFull && !this.#endOne()) return 'full';
    this.#open.set(connection, { end, idleSince: performance.now(), busy: 0, used: false });
    return isFull ? 'ended' : 'added';
  }

  remove(connection: object): void {
    this.#open.delete(connection);
  }

  /** Something is under way on it until the returned function is called. */
  busy(connection: object): () => void {
    const open = this.#open.get(connection);
    if (open === undefined) return () => undefined;
    open.busy++;
    return () => {
      open.busy--;
      open.idleSince = performance.now();
    };
  }

  /** It did what such connections are for. */
  used(connection: object): void {
    const open = this.#open.get(connection);
    if (open !== undefined) open.used = true;
  }

  #endOne(): boolean {
    const before = performance.now() - this.#spareMs;
    const [longest] = [...this.#open]
      .filter(([, { busy, used, idleSince }]) => busy === 0 && (!used || idleSince <= before))
      .toSorted(([, a], [, b]) => Number(a.used) - Number(b.used) || a.idleSince - b.idleSince);
    if (longest === undefined) return false;
    const [connection, { end }] = longest;
    this.#open.delete(connection);
    end();
    return true;
  }
}
