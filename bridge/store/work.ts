/** What there may be to do for those who ask the store for it. */
export interface Work {
  /** Destinations with intents to send. */
  readonly intents: ReadonlySet<string>;
  /** Destinations with desired rows to send. */
  readonly desired: ReadonlySet<string>;
  /** The journal goes on. */
  readonly journal: boolean;
  /** There are logs to read. */
  readonly logs: boolean;
  /** There are Kubernetes Events to write. */
  readonly events: boolean;
  /** Something waits for so long that it may be given up, or is to be removed. */
  readonly sweep: boolean;
}
