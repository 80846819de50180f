import type { Instant } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import type { SentIntent } from '../../../sinks/sink.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** Most tries of one intent in a minute, by their growing pauses. */
const MOST_TRIES = 8;

/** What was delivered since then, and each try that ended otherwise, but for those of which no request was made or taken. */
const SENT = `WITH found AS (
    SELECT seq, settled_at AS at FROM intents INDEXED BY intents_delivered
      WHERE destination = ?1 AND status = 'delivered' AND settled_at > ?2
    UNION ALL SELECT seq, NULL FROM intents INDEXED BY intents_due
      WHERE destination = ?1 AND status IN ('ready', 'awaiting', 'queued') AND settled_at IS NULL
    UNION ALL SELECT seq, NULL FROM intents INDEXED BY intents_dropped
      WHERE status = 'dropped' AND settled_at > ?2 AND destination = ?1),
  sent AS (
    SELECT seq, at, 1 AS times FROM found WHERE at IS NOT NULL
    UNION ALL SELECT seq, last_at, min(count, ${MOST_TRIES}) FROM found JOIN answers USING (seq)
      WHERE last_at > ?2 AND answers.reason NOT IN ('paced', 'awaiting_logs', 'rate_limited'))
  SELECT payload, at, times FROM sent JOIN intents USING (seq) ORDER BY at`;

/** Requests that were or may have been made after `since`, the oldest first; of tries that failed rather too many. */
export function recentlySent(db: Db, destination: string, since: Instant): SentIntent[] {
  const rows = db.all<{ payload: string; at: Instant; times: number }>(SENT, destination, since);
  return rows.flatMap(({ payload, at, times }) => {
    const { value } = parsed<Json>(payload);
    return value === undefined ? [] : [{ payload: value, at, times }];
  });
}
