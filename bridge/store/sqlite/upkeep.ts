import type { Store } from '../store.ts';
import type { Db } from './db/db.ts';
import type { SideWriter } from './file/side-writer.ts';
import type { StoreFile } from './file/store-file.ts';
import { NextDue } from './housekeeping/next-due.ts';
import { shiftTimes } from './housekeeping/shift.ts';
import type { Parts } from './parts.ts';

type Upkeep = Pick<Store, 'clockSet' | 'ingested' | 'sweep' | 'retain' | 'nextAt'>;

/** What happens to a store as time goes by. */
export function upkeep(db: Db, { tx, holds, retention, sweep }: Parts, side: SideWriter, file: StoreFile): Upkeep {
  let unshiftedMs = 0;
  const due = new NextDue(db, tx.timers);
  /** With a full disk again before anything that judges by ages. */
  const shift = (): void => {
    if (unshiftedMs === 0) return;
    db.write(() => shiftTimes(db, unshiftedMs));
    unshiftedMs = 0;
  };
  return {
    clockSet(ms) {
      holds.shifted(ms);
      side.clockSet(ms);
      due.clockSet();
      unshiftedMs += ms;
      shift();
    },
    ingested: (now) => side.committed(now),
    sweep(now, maxAgeMs, supersedeMs, followers) {
      shift();
      return db.work.of(() => db.write(() => sweep.run(now, maxAgeMs, supersedeMs, followers)));
    },
    retain(now, limits) {
      file.check();
      shift();
      if (retention.isDue(now, limits)) db.write(() => retention.step(now, limits));
      return { ...retention.state(limits), sideFiles: side.write(false) };
    },
    nextAt(now, kinds) {
      const at = due.next(now, kinds);
      return retention.isBusy ? now : Math.min(at, now + side.dueInMs());
    },
  };
}
