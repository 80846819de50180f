import { catchUp } from '../announce/catch-up.ts';
import { planOwn } from '../announce/desired.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { eachAlone } from '../turn/each-alone.ts';
import { reads } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';
import type { Follower } from './follower.ts';
import { FOLLOWERS } from './table.ts';

const PAGE = 500;

/**
 * Plans every live object again: the configuration may be another one than that of the last start. Facts that an older
 * bridge read may not have what is asked for now; the audit reads them again.
 */
export function replanAll(turn: Turn): void {
  const { tx, now, destinations } = turn;
  const returned = tx.destinations.configured(
    destinations.map(({ planner }) => planner.destination),
    now,
  );
  planOwn(turn);
  for (const [kind, follower] of Object.entries(FOLLOWERS)) replanKind(turn, kind as Kind, follower);
  tx.problems.forgetDead();
  for (const one of returned) {
    const to = destinations.find(({ planner }) => planner.destination === one.destination);
    if (to !== undefined) catchUp(turn, to, one);
  }
}

/** All live objects of a kind, if a destination reads them, or did at the last start: what it wanted then is given up. */
function replanKind(
  turn: Turn,
  kind: Kind,
  { plan, plansAlways }: Pick<Follower<never>, 'plan' | 'plansAlways'>,
): void {
  const { tx, destinations } = turn;
  const isRead = destinations.some((to) => reads(to, kind));
  const wasRead = tx.meta.get(readKey(kind)) === READ;
  if (isRead !== wasRead) tx.meta.set(readKey(kind), isRead ? READ : '');
  if (!isRead && !wasRead && plansAlways !== true) return;
  let page = tx.versions.live(kind, 0, PAGE);
  for (; page.length > 0; page = tx.versions.live(kind, page.at(-1)!.row, PAGE)) {
    for (const { uid } of page) {
      eachAlone(turn, uid, () => {
        const row = tx.objects.get(uid);
        if (row?.factsSchema === turn.unwritten.schemaOf(kind)) plan(turn, row);
      });
    }
  }
}

const READ = 'read';

function readKey(kind: Kind): string {
  return `planned/${kind}`;
}
