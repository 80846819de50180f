import { planDesired } from '../announce/desired.ts';
import type { Facts, FollowedKind, Kind } from '../kubernetes/observation.ts';
import { isSameJson } from '../lib/same.ts';
import { factsOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

/** Which kinds the objects of a kind own, as far as they are found by their owner. */
const OWNED: { readonly [K in Kind]?: readonly FollowedKind[] } = {
  CronJob: ['Job'],
  Job: ['Pod'],
  Deployment: ['ReplicaSet'],
  ReplicaSet: ['Pod'],
  StatefulSet: ['Pod'],
  DaemonSet: ['Pod'],
};

/** What those that it owns follow from; undefined for what owns nothing, and where no destination asks. */
export function shownToOwned(
  { tx, destinations }: Turn,
  { uid, kind }: Pick<Facts, 'uid' | 'kind'>,
): object | undefined {
  if (OWNED[kind] === undefined || !destinations.some(({ planner }) => planner.reads.owners === true)) return undefined;
  const row = tx.objects.get(uid);
  if (row === undefined) return NOT_SEEN;
  const { name, createdAt, owner, labels, annotations } = factsOf(row);
  return { name, createdAt, owner, labels, annotations };
}

const NOT_SEEN = {};

/** Plans what an object owns again, all the way down, if what was `shown` of it before its record is another now. */
export function replanOwned(turn: Turn, of: Pick<Facts, 'uid' | 'kind'>, shown: object | undefined): void {
  if (shown === undefined || isSameJson(shown, shownToOwned(turn, of))) return;
  planOwned(turn, of);
}

function planOwned(turn: Turn, { uid, kind }: Pick<Facts, 'uid' | 'kind'>): void {
  const { tx, unwritten } = turn;
  for (const owned of OWNED[kind] ?? []) {
    for (const row of tx.objects.children(uid, owned)) {
      // Facts of another bridge are read again by the audit, and planned then.
      if (!row.deleted && row.factsSchema === unwritten.schemaOf(owned)) planDesired(turn, factsOf(row), true);
      planOwned(turn, { uid: row.uid, kind: owned });
    }
  }
}
