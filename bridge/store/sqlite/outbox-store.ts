import type { LogStore } from '../logs.ts';
import type { OutboxStore } from '../outbox-store.ts';
import type { ProblemStore } from '../problems.ts';
import type { Db } from './db/db.ts';
import { isAnyDue } from './outbox/due.ts';
import { retryRefused } from './desired/refusals.ts';
import { recentlySent } from './outbox/recently-sent.ts';
import type { Parts } from './parts.ts';

/**
 * What the outbox, the writer of Kubernetes Events and the reader of logs ask for; each call that writes is a commit. Most
 * claims find nothing: they are one statement.
 */
export function outboxStore(
  db: Db,
  { tx: { logs, problems }, intents, journals, desired, holds }: Parts,
): Omit<OutboxStore, 'sweep'> & ProblemStore & LogStore {
  const left = (write: () => void) => db.work.of(() => db.write(write));
  return {
    claim(destination, limit, now, exclude, dryRun, perGate = limit) {
      if (!dryRun && !isAnyDue(db, destination, now)) return [];
      return db.write(() => intents.claim(destination, limit, now, exclude, dryRun, perGate));
    },
    settle: (results, now) => left(() => results.forEach((result) => intents.settle(result, now))),
    isDue: (destination, now) => isAnyDue(db, destination, now),
    recentlySent: (destination, since) => recentlySent(db, destination, since),
    claimDesired(destination, limit, now, limitKeys = []) {
      if (!desired.isDue(destination, now)) return [];
      return db.write(() => desired.claim(destination, limit, now, limitKeys));
    },
    settleDesired: (results, now) => left(() => results.forEach((result) => desired.settle(result, now))),
    retryRefused: (destination, limitKeys, now) =>
      db.write(() => {
        holds.end(destination, limitKeys, now);
        retryRefused(db, intents, destination, now);
      }),
    claimJournal(destination, limit, now, limitKeys = []) {
      if (!journals.isDue(destination, now)) return undefined;
      return db.write(() => journals.claim(destination, limit, now, limitKeys));
    },
    settleJournal: (results, now) => db.write(() => results.forEach((result) => journals.settle(result, now))),
    dueEvents: (limit, now) => problems.due(limit, now),
    settleEvents: (results, now) => db.write(() => results.forEach((result) => problems.settle(result, now))),
    wantedLogs: (limit, now, reading) => logs.wanted(limit, now, reading),
    settleLogs: (results, limits, now) => db.write(() => results.forEach((result) => logs.settle(result, limits, now))),
  };
}
