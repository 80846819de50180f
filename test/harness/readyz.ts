/** What the tests read of the bridge's /readyz. */
export interface Readyz {
  readonly lists: Readonly<Record<string, { readonly result: string; readonly status?: number }>>;
  readonly outbox: readonly { readonly pending: number; readonly notInSync: number }[];
  readonly retired?: object;
}

const KINDS = ['CronJob', 'Job', 'Pod'];

/** True when nothing waits to be sent and every answer is recorded: a kill then makes nothing be sent again. */
export function isSettled({ outbox }: Readyz): boolean {
  return outbox.every(({ pending, notInSync }) => pending + notInSync === 0);
}

/** True when the last LIST of each kind is through. */
export function isListed({ lists }: Readyz): boolean {
  return KINDS.every((kind) => lists[kind]?.result === 'complete');
}
