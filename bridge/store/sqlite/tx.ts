import type { Kind } from '../../kubernetes/observation.ts';
import type { Attempt, Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import type { Desired, Intent } from '../../sinks/sink.ts';
import type { Grave, Refused } from '../graves.ts';
import type { FoundProblem } from '../problems.ts';
import type { Claimant, DesiredRules } from '../claims.ts';
import type {
  Decision,
  Dropped,
  LiveObject,
  ObjectRow,
  Quarantined,
  RunRow,
  StoredVersion,
  Timer,
  Tx,
} from '../store.ts';
import { liveObjects, LiveSums, newestVersion, storedVersion } from './objects/audit-rows.ts';
import type { Db } from './db/db.ts';
import { decisionOf, putDecision } from './runs/decisions.ts';
import { dueTimers, timersBelow } from './objects/timers.ts';
import type { Claims } from './desired/claims.ts';
import type { Destinations } from './destinations/destinations.ts';
import { giveUpAll } from './outbox/giving-up.ts';
import type { Intents } from './outbox/intents.ts';
import { EventRows } from './events/event-rows.ts';
import { LogRows } from './runs/log-rows.ts';
import { ProblemRows } from './objects/problem-rows.ts';
import { putQuarantined, quarantinedVersion, release } from './db/quarantine.ts';
import type { Retirements } from './outbox/retirements.ts';
import { putAttempt } from './runs/run-rows.ts';
import { StateRows } from './state-rows.ts';
import { attemptOf, attemptsOf, transitionsOf } from './runs/stored-runs.ts';
import type { Tombstones } from './housekeeping/tombstones.ts';
import { UnjudgedRows } from './objects/unjudged-rows.ts';

/** The statements of one transaction. The object lives as long as the store; the transaction is the store's. */
export class SqliteTx implements Tx {
  readonly #db: Db;
  readonly logs: LogRows;
  readonly events: EventRows;
  readonly destinations: Destinations;
  readonly #intents: Intents;
  readonly #claims: Claims;
  readonly #retirements: Retirements;
  readonly #tombstones: Tombstones;
  readonly #states: StateRows;
  readonly #liveSums: LiveSums;
  readonly #onKeys: () => void;
  /** Kinds of the transitions that this transaction added. */
  readonly added: TransitionKind[] = [];
  /** What it decided not to tell. */
  readonly dropped: Dropped[] = [];
  /** The same of all transactions that are committed, until it is taken. */
  readonly done = { added: [] as TransitionKind[], dropped: [] as Dropped[], found: [] as FoundProblem[] };
  readonly problems: ProblemRows;
  readonly unjudged: UnjudgedRows;

  constructor(
    db: Db,
    intents: Intents,
    claims: Claims,
    retirements: Retirements,
    tombstones: Tombstones,
    destinations: Destinations,
    onKeys: () => void,
  ) {
    this.#db = db;
    this.logs = new LogRows(db);
    this.events = new EventRows(db);
    this.problems = new ProblemRows(db);
    this.unjudged = new UnjudgedRows(db);
    this.#intents = intents;
    this.#claims = claims;
    this.#retirements = retirements;
    this.#tombstones = tombstones;
    this.#states = new StateRows(db);
    this.#liveSums = new LiveSums(db);
    this.destinations = destinations;
    this.#onKeys = onKeys;
  }

  attempt<T>(work: () => T): T {
    const lengths = this.#noted().map(({ length }) => length);
    try {
      return this.#db.part(work);
    } catch (error) {
      this.#states.forget();
      this.#noted().forEach((list, at) => (list.length = lengths[at]!));
      throw error;
    }
  }

  /** Forgets what the transaction before saw and did. */
  begin(): void {
    this.#states.forget();
    for (const list of this.#noted()) list.length = 0;
  }

  #noted(): unknown[][] {
    return [this.added, this.dropped, this.problems.found, this.unjudged.changes];
  }

  committed(): void {
    this.#states.forget();
    this.done.added.push(...this.added);
    this.done.dropped.push(...this.dropped);
    this.done.found.push(...this.problems.found);
    this.unjudged.committed();
  }

  object(uid: string): ObjectRow | undefined {
    return this.#states.object(uid);
  }

  putObject(row: ObjectRow): void {
    this.#states.putObject(row);
  }

  children(ownerUid: string, kind: Kind): ObjectRow[] {
    return this.#states.children(ownerUid, kind);
  }

  run(uid: string): RunRow | undefined {
    return this.#states.run(uid);
  }

  putRun(row: RunRow): void {
    this.#states.putRun(row);
  }

  runsWaitingForOwner(ownerUid: string): RunRow[] {
    return this.#states.runsWaitingForOwner(ownerUid);
  }

  claimRunKey(runKey: string, uid: string): string {
    this.#db.run('INSERT OR IGNORE INTO run_keys VALUES (?, ?)', runKey, uid);
    return this.runKeyHolder(runKey)!;
  }

  runKeyHolder(runKey: string): string | undefined {
    return this.#db.get<{ uid: string }>('SELECT uid FROM run_keys WHERE run_key = ?', runKey)?.uid;
  }

  putAttempt(runUid: string, attempt: Attempt): void {
    putAttempt(this.#db, runUid, attempt);
  }

  attempts(runUid: string, podUid?: string): Attempt[] {
    return podUid === undefined ? attemptsOf(this.#db, runUid) : attemptOf(this.#db, runUid, podUid);
  }

  addTransition(transition: Transition, recordedAt: Instant): boolean {
    const { id, runUid, at } = transition;
    const added = this.#db.run(
      'INSERT OR IGNORE INTO transitions (id, run_uid, at, recorded_at, transition) VALUES (?, ?, ?, ?, ?)',
      id,
      runUid ?? null,
      at,
      recordedAt,
      JSON.stringify(transition),
    );
    if (added > 0) this.added.push(transition.kind);
    return added > 0;
  }

  transitionsOf(runUid: string): Transition[] {
    return transitionsOf(this.#db, runUid);
  }

  decide(decision: Decision): void {
    const { destination, verdict, reason } = decision;
    if (putDecision(this.#db, decision) && verdict === 'dropped' && reason) this.dropped.push({ destination, reason });
  }

  decision(transitionId: string, destination: string): Decision | undefined {
    return decisionOf(this.#db, transitionId, destination);
  }

  enqueue(destination: string, transitionId: string, intent: Intent, at: Instant): boolean {
    return this.#intents.enqueue(destination, transitionId, intent, at);
  }

  stickyKey(destination: string, namespace: string, name: string): string | undefined {
    return this.#db.get<{ key: string }>(
      'SELECT key FROM sticky_keys WHERE destination = ? AND namespace = ? AND name = ?',
      destination,
      namespace,
      name,
    )?.key;
  }

  setStickyKey(destination: string, namespace: string, name: string, key: string): void {
    const sql = 'INSERT OR IGNORE INTO sticky_keys VALUES (?, ?, ?, ?)';
    if (this.#db.run(sql, destination, namespace, name, key) > 0) this.#onKeys();
  }

  wanted(destination: string, key: string): Json | undefined {
    return this.#claims.wanted(destination, key);
  }

  claimDesired(claimant: Claimant, claims: readonly Desired[], rules: DesiredRules, at: Instant): void {
    this.#claims.claim(claimant, claims, rules, at);
  }

  recomputeDesired(destination: string, rules: DesiredRules, at: Instant): void {
    this.#claims.recompute(destination, rules, at);
  }

  setRetired(on: boolean, by: string, at: Instant): void {
    this.#onKeys();
    if (!on) this.#retirements.end(by, at);
    else {
      this.#retirements.begin(by, at);
      giveUpAll(this.#db, this.#intents, at);
    }
  }

  isRetired(at: Instant): boolean {
    return this.#retirements.covers(at);
  }

  setTimer({ id, kind, uid, due }: Timer): void {
    this.#db.run('INSERT OR REPLACE INTO timers (id, kind, uid, due) VALUES (?, ?, ?, ?)', id, kind, uid, due);
  }

  clearTimer(id: string): void {
    this.#db.run('DELETE FROM timers WHERE id = ?', id);
  }

  dueTimers(kind: Timer['kind'], now: Instant, limit: number): Timer[] {
    return dueTimers(this.#db, kind, now, limit);
  }

  timersBelow(path: string): Timer[] {
    return timersBelow(this.#db, path);
  }

  quarantine(row: Quarantined): void {
    putQuarantined(this.#db, row);
  }

  release(uid: string, version: string): void {
    release(this.#db, uid, version);
  }

  isPruned(uid: string): boolean {
    return this.#tombstones.has(uid);
  }

  bury(grave: Grave, at: Instant): void {
    this.#tombstones.put(grave, at);
  }

  forgottenUpTo(): Instant {
    return this.#tombstones.forgottenUpTo();
  }

  refuse(row: Refused): void {
    this.#tombstones.refuse(row);
  }

  quarantinedVersion(uid: string): string | undefined {
    return quarantinedVersion(this.#db, uid);
  }

  storedVersion(uid: string): StoredVersion | undefined {
    return storedVersion(this.#db, uid);
  }

  liveObjects(kind: Kind, after: number, limit: number, namespace?: string): LiveObject[] {
    return liveObjects(this.#db, kind, after, limit, namespace);
  }

  liveSum(kind: Kind, namespace?: string): ReturnType<Tx['liveSum']> {
    return this.#liveSums.of(kind, namespace);
  }

  newestVersion(kind: Kind): string | undefined {
    return newestVersion(this.#db, kind);
  }

  setUnwatched(kind: Kind, since: Instant | undefined): void {
    this.#states.setUnwatched(kind, since);
  }
  forgetVersions(kind: Kind): void {
    this.#states.forgetVersions(kind);
  }

  meta(key: string): string | undefined {
    return this.#db.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value;
  }

  setMeta(key: string, value: string): void {
    this.#db.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, value);
  }
}
