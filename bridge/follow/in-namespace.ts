import type { Facts, FollowedKind } from '../kubernetes/observation.ts';
import { isSameJson } from '../lib/same.ts';
import type { ObjectRow } from '../store/objects.ts';
import { announceInNamespace } from '../announce/namespace-seen.ts';
import { eachAlone } from '../turn/each-alone.ts';
import { factsOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';

const PAGE = 500;
const NOT_SEEN = {};

/** What those that are in a namespace follow from; undefined for other kinds, and where no destination asks. */
export function shownToNamespaced(turn: Turn, { uid, kind }: Pick<Facts, 'uid' | 'kind'>): object | undefined {
  if (kind !== 'Namespace' || asked(turn).length === 0) return undefined;
  const row = turn.tx.objects.get(uid);
  if (row === undefined) return NOT_SEEN;
  const { annotations, labels } = factsOf(row);
  const isByLabels = turn.destinations.some(({ planner }) => planner.reads.needsNamespace === 'always');
  return { annotations, ...(isByLabels && { labels }) };
}

/** Plans what is in a namespace again, and what waited for it, if what was `shown` of it before its record is another now. */
export function replanNamespaced(
  turn: Turn,
  of: Pick<Facts, 'uid' | 'kind' | 'name'>,
  shown: object | undefined,
  plan: (kind: FollowedKind, row: ObjectRow) => void,
): void {
  if (shown === undefined || isSameJson(shown, shownToNamespaced(turn, of))) return;
  announceInNamespace(turn, of.name);
  planNamespaced(turn, of.name, plan);
}

/** Plans again what is in a namespace, where what is wanted for it follows from that. */
export function planNamespaced(turn: Turn, name: string, plan: (kind: FollowedKind, row: ObjectRow) => void): void {
  const { tx, unwritten } = turn;
  for (const kind of asked(turn)) {
    let page = tx.versions.live(kind, 0, PAGE, name);
    for (; page.length > 0; page = tx.versions.live(kind, page.at(-1)!.row, PAGE, name)) {
      for (const { uid } of page) {
        eachAlone(turn, uid, () => {
          const row = tx.objects.get(uid);
          // Facts of another bridge are read again by the audit, and planned then.
          if (row?.factsSchema === unwritten.schemaOf(kind)) plan(kind, row);
        });
      }
    }
  }
}

/** Kinds of which what is wanted follows from their namespace too, for any destination. */
function asked({ destinations }: Turn): FollowedKind[] {
  return [...new Set(destinations.flatMap(({ planner }) => [...(planner.reads.namespaceOf ?? [])]))];
}
