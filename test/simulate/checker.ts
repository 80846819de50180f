import { NEEDLESS } from '../../bridge/lib/reasons.ts';
import type { Reason } from '../../bridge/lib/reasons.ts';
import type { ReadStore } from '../../bridge/store/read.ts';
import { openReader } from '../../bridge/store/sqlite/open.ts';
import { checkBounds } from './check-bounds.ts';
import { checkObjects } from './check-objects.ts';
import { time } from './runs.ts';
import type { Simulation } from './simulation.ts';

/** Something that the bridge must not do, and whose run or monitor it is about. */
export interface Failure {
  readonly what: string;
  readonly uid?: string;
}

const MINUTE = 60_000;

/** Everything that is wrong at the end of a simulation, by the truth of its world. */
export function check(simulation: Simulation): Failure[] {
  const { lives } = simulation;
  if (lives.length === 0) return [{ what: 'the bridge never started' }];
  // Else no kill and no full disk would hit a commit, and nobody would notice.
  if (lives.some(({ hasStarted, death }) => hasStarted && death.commits === 0))
    return [{ what: 'a bridge that worked has not committed anything on the simulated disk' }];
  const reader = openReader(simulation.storePath);
  try {
    return [
      ...checkErrors(simulation),
      ...simulation.onlooker.failures,
      ...checkAccounts(simulation, reader),
      ...checkSettled(simulation, reader),
      ...checkObjects(simulation),
      ...checkBounds(simulation),
    ];
  } finally {
    reader.close();
  }
}

/** What a bridge must not do whatever the world does. */
function checkErrors({ errors, lives, destinations }: Simulation): Failure[] {
  const crashes = errors.filter((text) => text.startsWith('crash') || text.startsWith('outbox'));
  // A new process does not know what the last one sent within a second.
  const justBegan = (at: number): boolean => lives.some((life) => at >= life.startedAt && at - life.startedAt < MINUTE);
  const violations = destinations.accounts.flatMap(({ account, host, tenures }) => {
    const rotations = tenures.flatMap(({ exceptions }) => exceptions.filter(({ kind }) => kind === 'rotated'));
    const wasRotated = (at: number): boolean => rotations.some(({ from, to }) => at >= from && at <= to + MINUTE);
    return account.violations
      .filter(({ kind, at }) => !(kind === 'rate' && justBegan(at)) && !(kind === 'auth' && wasRotated(at)))
      .map((one) => ({ ...one, host }));
  });
  return [
    ...crashes.map((text) => ({ what: text })),
    ...violations.map(({ host, kind, detail }) => ({
      what: `a careful client would not do that to ${host}: ${kind} ${detail}`,
    })),
  ];
}

/** What each account heard, by the rules of its vendor. */
function checkAccounts(simulation: Simulation, reader: ReadStore): Failure[] {
  return simulation.destinations.accounts
    .filter(({ tenures }) => tenures.length > 0)
    .flatMap(({ vendor, account, tenures, host }) =>
      vendor
        .check(account, { simulation, reader, host, tenures })
        .map((failure) => ({ ...failure, what: `${host}: ${failure.what}` })),
    );
}

function checkSettled({ collector, scheduler, destinations }: Simulation, reader: ReadStore): Failure[] {
  const failures: Failure[] = [];
  if (collector.waiting > 0) failures.push({ what: `${collector.waiting} exports still wait in the Collector` });
  for (const status of ['pending', 'sending'] as const) {
    // What waits for a destination that has left is given up after a day.
    const waiting = reader.deliveries({ limit: 100, status }).items;
    for (const row of waiting.filter(({ destination }) => destinations.has(destination)).slice(0, 5))
      failures.push({
        what: `still ${status} to ${row.destination} at ${time(scheduler.now)}: ${JSON.stringify(row.payload)} ${row.detail}`,
      });
  }
  for (const row of reader.desired({ limit: 200 }).items)
    if (row.notInSyncSince !== undefined && destinations.has(row.destination) && !isNeedless(row.reason))
      failures.push({ what: `not in sync: ${JSON.stringify(row)}` });
  return failures;
}

function isNeedless(reason: Reason | undefined): boolean {
  return reason !== undefined && NEEDLESS.has(reason);
}
