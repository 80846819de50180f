import { KINDS } from '../../kubernetes/kinds.ts';
import type { Kind, Observation } from '../../kubernetes/observation.ts';
import { compareVersions, UNKNOWN_VERSION } from '../../kubernetes/version.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Known, Unit } from '../../policy/audit.ts';
import { difference, goneObjects, isRolledBack, unitKey } from '../../policy/audit.ts';
import type { Store } from '../../store/store.ts';
import type { Tx } from '../../store/tx.ts';
import { markGone } from '../../follow/gone.ts';
import { judgeListed } from '../../follow/revision.ts';
import { eachAlone } from '../../turn/each-alone.ts';
import type { InTurn, Turn } from '../../turn/turn.ts';
import type { UnwrittenVersions } from '../../turn/unwritten-versions.ts';
import type { AuditCalls, Listed, PageVerdict, PassResult, Watches } from './audit-calls.ts';
import type { Pass, UnitMemory } from './audit-pass.ts';
import { SameLists } from './same-lists.ts';
import { StreamWatches } from './stream-watches.ts';

/** A new Collector connects before its watches stand: what changes until then it never sends. */
const CONNECTED_MS = 20_000;
const SCAN_ROWS = 5_000;
const RESTARTED_KEY = 'collector/restarted';
/** Most outdated rows read again per LIST, so that a new release does not read the whole cluster at once. */
const OUTDATED_PER_LIST = 5_000;

/**
 * The audit's side of the store: compares LISTs with it, page by page. It lives on the worker thread; one LIST at a time.
 * What it remembers between LISTs may be lost with the process: then two more LISTs are needed.
 */
export class Audit implements AuditCalls {
  readonly #store: Store;
  readonly #unwritten: UnwrittenVersions;
  readonly #inTurn: InTurn;
  readonly #units = new Map<string, UnitMemory>();
  readonly #watches: StreamWatches;
  readonly #same: SameLists;
  /** Newest version of each kind that was ever stored, as far as this process knows. */
  readonly #newest = new Map<Kind, string>();
  #connectedAt: Instant | undefined;
  #pass: Pass | undefined;

  constructor(store: Store, kinds: readonly Kind[], unwritten: UnwrittenVersions, inTurn: InTurn) {
    this.#store = store;
    this.#unwritten = unwritten;
    this.#inTurn = inTurn;
    this.#watches = new StreamWatches(store, kinds);
    this.#same = new SameLists(store);
  }

  /** Called after each commit with what it held; a record in quarantine counts as arrived too. */
  observed(observations: readonly Observation[], now: Instant): void {
    for (const { facts, listed, watched } of observations) {
      const { kind, namespace, resourceVersion } = facts;
      const newest = this.#newest.get(kind);
      if (newest !== undefined && compareVersions(resourceVersion, newest) > 0) this.#newest.set(kind, resourceVersion);
      if (watched === true) this.#found(this.#unitOf(kind, namespace)?.watchedFrom, kind, resourceVersion, now);
      else if (listed !== true) this.#watches.streamed(kind, resourceVersion, now);
    }
  }

  /** The stream should bring that version too, if the Collector's watches stood before. */
  #found(watchedFrom: string | undefined, kind: Kind, version: string, now: Instant): void {
    if (watchedFrom === undefined || compareVersions(version, watchedFrom) <= 0) return;
    this.#watches.found(kind, version, now);
  }

  clockSet(ms: number): void {
    if (this.#connectedAt !== undefined) this.#connectedAt += ms;
    if (this.#pass !== undefined) this.#pass.beganAt += ms;
    this.#watches.clockSet(ms);
  }

  auditConnected(now: Instant): void {
    this.#connectedAt = now;
    for (const memory of this.#units.values()) memory.watchedFrom = undefined;
    this.#watches.connected((kind) => {
      this.#readNewest(kind);
      return this.#newest.get(kind) ?? '';
    });
  }

  auditBegin(unit: Unit, now: Instant): ReturnType<AuditCalls['auditBegin']> {
    this.#connectedAt ??= now;
    const known = this.#readNewest(unit.kind) && this.#wasSeen(unit);
    this.#pass = {
      unit,
      beganAt: now,
      newest: this.#newest.get(unit.kind) ?? '',
      first: !known,
      seen: new Set(),
      missing: new Map(),
      version: undefined,
      live: 0,
      epoch: false,
      missed: 0,
      stale: 0,
      outdated: 0,
      elsewhere: false,
    };
    return { known, same: this.#same.list(unit, now) };
  }

  auditPage(version: string, objects: readonly Listed[], now: Instant): PageVerdict {
    const pass = this.#current();
    const memory = this.#memory(pass.unit);
    return this.#inTurn(now, ({ tx }) => {
      if (pass.version === undefined) this.#start(tx, pass, memory, version);
      const differing: string[] = [];
      for (const { uid, version: listed } of objects) {
        pass.seen.add(uid);
        const known = this.#known(tx, pass.unit.kind, uid, listed);
        if (isRolledBack(version, listed, known)) Object.assign(memory, { rolledBack: true, below: 1 });
        const found = difference(listed, known);
        if (found === 'same' || (found === 'outdated' && pass.outdated >= OUTDATED_PER_LIST)) continue;
        differing.push(uid);
        pass[found]++;
        if (found === 'outdated') continue;
        this.#found(memory.watchedFrom, pass.unit.kind, listed, now);
      }
      return { differing, full: pass.epoch };
    });
  }

  auditScan(after: number): { next: number | undefined } {
    const pass = this.#current();
    const { kind, namespace } = pass.unit;
    const { missing } = this.#memory(pass.unit);
    const rows = this.#store.transaction((tx) => tx.versions.live(kind, after, SCAN_ROWS, namespace));
    for (const row of rows) {
      pass.live++;
      const version = this.#unwritten.version(row.uid) ?? row.version;
      const isNewer = pass.version === undefined || compareVersions(version, pass.version) > 0;
      if (!isNewer && !pass.seen.has(row.uid)) pass.missing.set(row.uid, (missing.get(row.uid) ?? 0) + 1);
    }
    return { next: rows.length < SCAN_ROWS ? undefined : rows.at(-1)!.row };
  }

  auditSame(version: string, listed: boolean, now: Instant): { objects: number; result: PassResult } | undefined {
    const pass = this.#current();
    const { below, rolledBack } = this.#memory(pass.unit);
    if (below > 0 || rolledBack || compareVersions(version, pass.newest) < 0) return undefined;
    const objects = this.#same.again(pass.unit, version, listed ? now : undefined);
    if (objects === undefined) return undefined;
    pass.version = version;
    return { objects, result: this.#end(now, listed) };
  }

  auditEnd(now: Instant, digests: readonly (string | undefined)[] = []): PassResult {
    const { unit, seen, elsewhere, version = '' } = this.#current();
    const result = this.#end(now);
    this.#same.ended(unit, result, elsewhere ? [] : digests, { objects: seen.size, version, listedAt: now });
    return result;
  }

  /** Without a LIST there is nothing to remember: the version of the LIST before is as good. */
  #end(now: Instant, listed = true): PassResult {
    const pass = this.#current();
    this.#pass = undefined;
    const { unit, version = '', first, missed, stale, outdated, epoch } = pass;
    const memory = this.#memory(unit);
    const isBelow = memory.below > 0;
    const conclude = !epoch && !isBelow;
    const { gone, held } = conclude ? goneObjects(pass.missing, pass.live) : { gone: [], held: 0 };
    const unwritten = this.#unwritten;
    const write = (turn: Turn): void => {
      for (const uid of gone) eachAlone(turn, uid, () => unwritten.part(() => markGone(turn, uid, version)));
      if (conclude) turn.tx.meta.set(listedKey(unit.kind), version);
      if (conclude) judgeListed(turn, unit.kind, unit.namespace, version);
      if (unit.namespace !== undefined) turn.tx.meta.set(seenKey(unit), version);
    };
    if (listed) unwritten.atomically(() => this.#inTurn(now, write));
    for (const uid of gone) pass.missing.delete(uid);
    memory.missing = conclude ? pass.missing : new Map();
    const connectedAt = this.#connectedAt ?? pass.beganAt;
    if (conclude && pass.beganAt >= connectedAt + CONNECTED_MS) memory.watchedFrom = version;
    const again = pass.missing.size > 0 || isBelow || outdated >= OUTDATED_PER_LIST;
    const gap = first ? { missed: 0, stale: 0 } : { missed, stale };
    return { first, ...gap, gone: gone.length, outdated, held, epoch, again };
  }

  auditWatches(now: Instant): Watches {
    return this.#watches.look(now);
  }

  auditRestart(everyMs: number, now: Instant): number {
    return this.#store.transaction((tx) => {
      // Either way of now: a clock that was set back must hold nothing up for long.
      const since = Math.abs(now - Number(tx.meta.get(RESTARTED_KEY) ?? -Infinity));
      if (since < everyMs) return everyMs - since;
      tx.meta.set(RESTARTED_KEY, String(now));
      return 0;
    });
  }

  /** Remembers the newest version of a kind; false when the store has no object of it. */
  #readNewest(kind: Kind): boolean {
    const known = this.#newest.get(kind);
    if (known !== undefined && known !== UNKNOWN_VERSION) return true;
    const [newest, listed = ''] = this.#store.transaction(
      (tx) => [tx.versions.newest(kind), tx.meta.get(listedKey(kind))] as const,
    );
    this.#newest.set(kind, [newest ?? '', listed].toSorted(compareVersions)[1]!);
    return newest !== undefined;
  }

  /** Whether a namespace was listed once, or something of it came from the stream. */
  #wasSeen(unit: Unit): boolean {
    const { kind, namespace } = unit;
    if (namespace === undefined) return true;
    return this.#store.transaction(
      (tx) => tx.meta.get(seenKey(unit)) !== undefined || tx.versions.live(kind, 0, 1, namespace).length > 0,
    );
  }

  /** The first page shows how old the LIST is; the second LIST in a row that is too old begins a new epoch. */
  #start(tx: Tx, pass: Pass, memory: UnitMemory, version: string): void {
    pass.version = version;
    const isBelow = memory.rolledBack || compareVersions(version, pass.newest) < 0;
    memory.below = isBelow ? memory.below + 1 : 0;
    if (memory.below < 2) return;
    pass.epoch = true;
    Object.assign(memory, { below: 0, rolledBack: false });
    this.#unwritten.clear();
    tx.versions.forget(pass.unit.kind);
    tx.meta.set(listedKey(pass.unit.kind), UNKNOWN_VERSION);
    this.#newest.set(pass.unit.kind, UNKNOWN_VERSION);
    this.#watches.forget(pass.unit.kind);
    for (const other of this.#units.values()) other.watchedFrom = undefined;
  }

  #known(tx: Tx, kind: Kind, uid: string, listed: string): Known | undefined {
    const stored = tx.versions.get(uid);
    // Its records are not taken (late.ts): whatever version it has, reading it again is useless.
    if (stored === undefined && !KINDS[kind].longLived && tx.tombstones.has(uid)) {
      this.#current().elsewhere = true;
      return { version: listed, away: false };
    }
    const away = stored?.deleted ?? false;
    const quarantined = tx.quarantine.version(uid);
    this.#current().elsewhere ||= quarantined !== undefined;
    const poisonous = compareVersions(quarantined ?? UNKNOWN_VERSION, stored?.version ?? UNKNOWN_VERSION) > 0;
    const outdated = stored !== undefined && stored.factsSchema !== this.#unwritten.schemaOf(kind) && !poisonous;
    const versions = [stored?.version, this.#unwritten.version(uid), quarantined];
    const newest = versions
      .filter((version) => version !== undefined)
      .toSorted(compareVersions)
      .at(-1);
    return newest === undefined ? undefined : { version: newest, away, outdated };
  }

  /** The unit that an object belongs to, if it was LISTed: its namespace, or all. */
  #unitOf(kind: Kind, namespace: string): UnitMemory | undefined {
    return this.#units.get(unitKey({ kind, namespace })) ?? this.#units.get(unitKey({ kind }));
  }

  #memory(unit: Unit): UnitMemory {
    const key = unitKey(unit);
    const memory = this.#units.get(key) ?? {
      missing: new Map(),
      below: 0,
      rolledBack: false,
      watchedFrom: undefined,
      same: undefined,
    };
    this.#units.set(key, memory);
    return memory;
  }

  #current(): Pass {
    if (this.#pass === undefined) throw new Error('no LIST was begun');
    return this.#pass;
  }
}

function seenKey({ kind, namespace }: Unit): string {
  return `audit/seen/${kind}/${namespace}`;
}

function listedKey(kind: Kind): string {
  return `audit/listed/${kind}`;
}
