import type { CronJobState } from '../../../lifecycle/cronjob.ts';
import type { Run, RunStatus } from '../../../lifecycle/transition.ts';
import type { Retirement } from '../../operations.ts';
import type { OwnRow } from '../../own-row.ts';
import type { CronJobProblems, ProblemCount } from '../../problems.ts';
import type { UnjudgedCount } from '../../unjudged.ts';
import type {
  CronJobView,
  DeliveryStatus,
  DeliveryView,
  DropCount,
  DropView,
  LeftDestination,
  ListQuery,
  DesiredView,
  OutboxDepth,
  Page,
  PrunedView,
  QuarantineView,
  ReadStore,
  ReceiptCount,
  Refusal,
  RefusedCount,
  SeenCronJob,
  RunDetail,
  RunView,
} from '../../read.ts';
import type { Decision } from '../../store.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { readLeftDestinations } from '../destinations/destinations.ts';
import { readCronJobs } from './cron-jobs.ts';
import type { CronJobsQuery } from './cron-jobs.ts';
import { readDepth } from './depth.ts';
import { countDrops, readDrops } from './drops.ts';
import type { DropsQuery } from './drops.ts';
import { eventsOfRun } from '../events/event-rows.ts';
import { keptLogsOf, toLogView } from '../runs/log-rows.ts';
import { readOwnRow } from './own-row.ts';
import { countProblems, problemsOf, readProblems } from '../objects/problem-rows.ts';
import type { ProblemsQuery } from '../objects/problem-rows.ts';
import { readQuarantined } from '../db/quarantine.ts';
import { usedBytes } from '../housekeeping/retention.ts';
import { readKeyRefusals } from '../desired/refusals.ts';
import { readRetirement } from '../outbox/retirements.ts';
import { toDelivery } from './delivery-view.ts';
import type { DeliveryColumns } from './delivery-view.ts';
import { toDesiredView } from './desired-view.ts';
import type { DesiredViewColumns } from './desired-view.ts';
import { toPruned } from './pruned-view.ts';
import type { TombstoneColumns } from './pruned-view.ts';
import { toDecision } from '../runs/decisions.ts';
import type { DecisionColumns } from '../runs/decisions.ts';
import { countRuns, findRuns, listedRun, uidsFrom, withCause } from '../runs/run-rows.ts';
import type { RunFilter } from '../runs/run-rows.ts';
import { attemptsOf, readRun, RUN, transitionsOf } from '../runs/stored-runs.ts';
import type { RunColumns } from '../runs/stored-runs.ts';
import { countRefused } from '../housekeeping/tombstones.ts';
import { parsed } from '../db/unreadable-rows.ts';
import { countUnjudged, unjudgedOf } from '../objects/unjudged-rows.ts';

const LAST = Number.MAX_SAFE_INTEGER;

const DELIVERY = `SELECT intents.*, transitions.run_uid, (
    SELECT json_group_array(json_object('reason', reason, 'detail', detail, 'count', count, 'lastAt', last_at)
      ORDER BY last_at) FROM answers WHERE answers.seq = intents.seq) AS answers, (
    SELECT json_group_array(json_object('at', at, 'by', by, 'wasStatus', was_status, 'wasReason', was_reason,
      'wasDetail', was_detail, 'wasSettledAt', was_settled_at) ORDER BY id)
    FROM resends WHERE resends.seq = intents.seq) AS resends,
    intents.destination IN (SELECT destination FROM left_destinations) AS has_left
  FROM intents
  LEFT JOIN transitions ON transitions.id = intents.transition_id`;

/** With the names of the CronJobs on each key. */
const DESIRED = `SELECT desired.*, (
    SELECT json_group_array(coalesce(objects.namespace || '/' || objects.name, claims.uid)
      ORDER BY claims.rank, claims.uid)
    FROM claims LEFT JOIN objects ON objects.uid = claims.uid
    WHERE claims.destination = desired.destination AND claims.key = desired.key) AS cron_jobs,
    desired.destination IN (SELECT destination FROM left_destinations) AS has_left
  FROM desired`;

const CRON_JOBS = "SELECT count(*) AS count FROM objects WHERE kind = 'CronJob' AND deleted = 0";
const PENDING = "('queued', 'awaiting', 'ready')";

export class SqliteReader implements ReadStore {
  readonly #db: Db;
  readonly #dryRuns: ReadonlySet<string>;

  constructor(db: Db, dryRuns: readonly string[] = []) {
    this.#db = db;
    this.#dryRuns = new Set(dryRuns);
  }

  runs(query: ListQuery & { status?: RunStatus; namespace?: string; owner?: string }): Page<RunView> {
    const { status, namespace, owner } = query;
    const [at, uid] = readCursor(query.cursor, [LAST, '']);
    const filters = Object.entries({ status, namespace, owner_name: owner }).filter(([, value]) => value !== undefined);
    const where = filters.map(([column]) => ` AND ${column} = ?`).join('');
    const rows = this.#db.all<RunColumns>(
      `${RUN} WHERE (sort_at, uid) < (?, ?)${where} ORDER BY sort_at DESC, uid DESC LIMIT ?`,
      at,
      uid,
      ...filters.map(([, value]) => value!),
      query.limit + 1,
    );
    return page(
      rows,
      query,
      (row) => listedRun(this.#db, row),
      (row) => [row.sort_at, row.uid],
    );
  }

  run(uid: string): RunDetail | undefined {
    return this.#db.snapshot(() => {
      const row = this.#db.get<RunColumns>(`${RUN} WHERE uid = ?`, uid);
      if (row === undefined) return undefined;
      const run = readRun(this.#db, row);
      const attempts = attemptsOf(this.#db, uid);
      return {
        run: withCause(run, attempts),
        attempts,
        transitions: transitionsOf(this.#db, uid),
        decisions: this.#decisions(run),
        deliveries: this.#db
          .all<DeliveryColumns>(`${DELIVERY} WHERE run_uid = ? ORDER BY intents.seq`, uid)
          .map(toDelivery),
        logs: keptLogsOf(this.#db, uid).map(toLogView),
        events: eventsOfRun(this.#db, run, attempts),
      };
    });
  }

  pruned(uid: string): PrunedView | undefined {
    const row = this.#db.get<TombstoneColumns>('SELECT * FROM tombstones WHERE uid = ?', uid);
    return row && toPruned(row);
  }

  uidsFrom(prefix: string, limit: number): string[] {
    return uidsFrom(this.#db, prefix, limit);
  }

  findRuns(namespace: string, name: string, limit: number): RunView[] {
    return findRuns(this.#db, namespace, name, limit);
  }

  cronJob(namespace: string, name: string): CronJobView | undefined {
    return this.#db.snapshot(() => {
      const row = this.#db.get<{ uid: string; state: string }>(
        "SELECT uid, state FROM objects WHERE kind = 'CronJob' AND namespace = ? AND name = ? ORDER BY deleted LIMIT 1",
        namespace,
        name,
      );
      const state = row && parsed<CronJobState>(row.state).value;
      if (row === undefined || state === undefined) return undefined;
      const claimed = 'SELECT destination, key FROM claims WHERE uid = ?';
      const desired = this.#db.all<DesiredViewColumns>(
        `${DESIRED} WHERE (destination, key) IN (${claimed}) ORDER BY destination, key`,
        row.uid,
      );
      const known = { problems: problemsOf(this.#db, row.uid), unjudged: unjudgedOf(this.#db, row.uid) };
      return { ...state, ...known, desired: desired.map((row) => this.#toDesiredView(row)) };
    });
  }

  runCounts(query: RunFilter = {}): Partial<Record<RunStatus, number>> {
    return countRuns(this.#db, query);
  }

  desired(query: ListQuery): Page<DesiredView> {
    const [id] = readCursor(query.cursor, [LAST]);
    const rows = this.#db.all<DesiredViewColumns>(
      `${DESIRED} WHERE id < ? ORDER BY id DESC LIMIT ?`,
      id,
      query.limit + 1,
    );
    return page(
      rows,
      query,
      (row) => this.#toDesiredView(row),
      (row) => [row.id],
    );
  }

  deliveries(query: ListQuery & { status?: DeliveryStatus; destination?: string }): Page<DeliveryView> {
    const [seq] = readCursor(query.cursor, [LAST]);
    const status = {
      none: '',
      pending: ` AND status IN ${PENDING} AND settled_at IS NULL`,
      sending: " AND status = 'sending'",
    };
    const settled = { delivered: " AND status = 'delivered'", dropped: " AND status = 'dropped'" };
    const where = { ...status, ...settled }[query.status ?? 'none'];
    const rows = this.#db.all<DeliveryColumns>(
      `${DELIVERY} WHERE intents.seq < ?${where}${query.destination === undefined ? '' : ' AND destination = ?'}
       ORDER BY intents.seq DESC LIMIT ?`,
      seq,
      ...(query.destination === undefined ? [] : [query.destination]),
      query.limit + 1,
    );
    return page(rows, query, toDelivery, (row) => [row.seq]);
  }

  drops(query: DropsQuery): Page<DropView> {
    return this.#db.snapshot(() => readDrops(this.#db, query));
  }

  dropCounts(): DropCount[] {
    return this.#db.snapshot(() => countDrops(this.#db));
  }

  quarantined(id: number): QuarantineView | undefined {
    return readQuarantined(this.#db, 'id', id);
  }

  quarantinedObject(uid: string): QuarantineView | undefined {
    return readQuarantined(this.#db, 'subject', uid);
  }

  ownRow(destination: string): OwnRow | undefined {
    return readOwnRow(this.#db, destination);
  }

  retirement(): Retirement | undefined {
    return this.#db.snapshot(() => readRetirement(this.#db));
  }

  cronJobs(query: CronJobsQuery): Page<SeenCronJob> {
    return this.#db.snapshot(() => readCronJobs(this.#db, query));
  }

  depth(): OutboxDepth[] {
    return readDepth(this.#db, this.#dryRuns);
  }

  keyRefusals(): Refusal[] {
    return readKeyRefusals(this.#db).filter(({ destination }) => !this.#dryRuns.has(destination));
  }

  leftDestinations(): LeftDestination[] {
    return readLeftDestinations(this.#db);
  }

  receiptCounts(): ReceiptCount[] {
    return this.#db
      .all<ReceiptCount>('SELECT destination, reason, count FROM receipts ORDER BY destination, reason')
      .map(({ destination, reason, count }) => ({ destination, reason, count }));
  }

  refusedCounts(): RefusedCount[] {
    return countRefused(this.#db);
  }

  usedBytes(): number {
    return this.#db.snapshot(() => usedBytes(this.#db));
  }

  cronJobCount(): number {
    return this.#db.get<{ count: number }>(CRON_JOBS)!.count;
  }

  problems(query: ProblemsQuery): Page<CronJobProblems> {
    return readProblems(this.#db, query);
  }

  problemCounts(): ProblemCount[] {
    return countProblems(this.#db);
  }

  problemCronJobs(): number {
    return this.#db.get<{ count: number }>('SELECT count(*) AS count FROM annotation_problems')!.count;
  }

  unjudgedCounts(): UnjudgedCount[] {
    return countUnjudged(this.#db);
  }

  close(): void {
    this.#db.close();
  }

  /** A dry run leaves its rows as they are, so that they are sent once it is over. */
  #toDesiredView(row: DesiredViewColumns): DesiredView {
    const view = toDesiredView(row);
    return this.#dryRuns.has(row.destination) && !view.inSync ? { ...view, reason: 'dry_run' } : view;
  }

  /** Those on its transitions, and those on an end that is awaited and is no transition yet. */
  #decisions({ uid, runKey }: Run): Decision[] {
    return this.#db
      .all<DecisionColumns>(
        `SELECT decisions.* FROM decisions
         WHERE transition_id IN (SELECT id FROM transitions WHERE run_uid = ?) OR transition_id = ? ORDER BY id`,
        uid,
        `${runKey}/ended`,
      )
      .map(toDecision);
  }
}
