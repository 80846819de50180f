import type { Unjudged } from '../../../lifecycle/unjudged.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { UnjudgedCount, UnjudgedTx, UnjudgedView } from '../../unjudged.ts';
import type { Db } from '../db/db.ts';
import type { NewsOfCommits } from '../db/news.ts';

interface UnjudgedColumns {
  readonly reason: Unjudged['reason'];
  readonly zone: string;
  readonly detail: string;
  readonly since_at: number;
}

const PUT = `INSERT INTO unjudged (uid, reason, zone, detail, since_at) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT (uid) DO UPDATE SET reason = ?2, zone = ?3, detail = ?4, since_at = ?5`;

/** CronJobs whose missed runs are not judged. The caller holds the transaction. */
export class UnjudgedCronJobs implements UnjudgedTx {
  readonly #db: Db;
  readonly #news: NewsOfCommits;

  constructor(db: Db, news: NewsOfCommits) {
    this.#db = db;
    this.#news = news;
  }

  set(cronJob: Parameters<UnjudgedTx['set']>[0], unjudged: Unjudged | undefined, at: Instant): void {
    const { uid } = cronJob;
    const before = unjudgedOf(this.#db, uid);
    const isSame = before?.reason === unjudged?.reason && before?.zone === unjudged?.zone;
    if (isSame && before?.detail === unjudged?.detail) return;
    if (unjudged === undefined) this.#db.run('DELETE FROM unjudged WHERE uid = ?', uid);
    else {
      const { reason, zone, detail } = unjudged;
      this.#db.run(PUT, uid, reason, zone, detail, isSame ? before!.sinceAt : at);
    }
    if (isSame) return;
    if (before !== undefined) this.#changed(cronJob, before, true);
    if (unjudged !== undefined) this.#changed(cronJob, unjudged, false);
  }

  #changed(
    { uid, namespace, name }: Parameters<UnjudgedTx['set']>[0],
    { reason, zone, detail }: Unjudged,
    over: boolean,
  ): void {
    const others = this.#db.get<{ count: number }>(
      'SELECT count(*) AS count FROM unjudged WHERE reason = ? AND zone = ? AND uid <> ?',
      reason,
      zone,
      uid,
    )!.count;
    this.#news.add('unjudged', { namespace, name, reason, zone, detail, over, others });
  }
}

export function unjudgedOf(db: Db, uid: string): UnjudgedView | undefined {
  const row = db.get<UnjudgedColumns>('SELECT reason, zone, detail, since_at FROM unjudged WHERE uid = ?', uid);
  return row && toUnjudged(row);
}

/** How many CronJobs have each reason. */
export function countUnjudged(db: Db): UnjudgedCount[] {
  return db
    .all<UnjudgedCount>('SELECT reason, count(*) AS count FROM unjudged GROUP BY reason ORDER BY reason')
    .map(({ reason, count }) => ({ reason, count }));
}

function toUnjudged({ reason, zone, detail, since_at: sinceAt }: UnjudgedColumns): UnjudgedView {
  return { reason, zone, detail, sinceAt };
}
