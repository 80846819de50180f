import { catchUp } from '../announce/catch-up.ts';
import { planOwn } from '../announce/desired.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { eachAlone } from '../turn/each-alone.ts';
import type { Turn } from '../turn/turn.ts';
import type { Follower } from './follower.ts';
import { FOLLOWERS } from './table.ts';

const PAGE = 500;

/**
 * Plans every live object anew: the configuration may be another one than that of the last start. Facts that an older
 * bridge read may lack what is asked for now; the audit reads them again.
 */
export function replanAll(turn: Turn): void {
  const { tx, now, destinations } = turn;
  const returned = tx.destinations.configured(
    destinations.map(({ planner }) => planner.destination),
    now,
  );
  planOwn(turn);
  for (const [kind, { replan }] of Object.entries<Pick<Follower<never>, 'replan'>>(FOLLOWERS)) {
    if (replan !== undefined) replanKind(turn, kind as Kind, replan);
  }
  tx.problems.forgetDead();
  for (const one of returned) {
    const to = destinations.find(({ planner }) => planner.destination === one.destination);
    if (to !== undefined) catchUp(turn, to, one);
  }
}

function replanKind(turn: Turn, kind: Kind, replan: NonNullable<Follower<never>['replan']>): void {
  const { tx } = turn;
  let page = tx.liveObjects(kind, 0, PAGE);
  for (; page.length > 0; page = tx.liveObjects(kind, page.at(-1)!.row, PAGE)) {
    for (const { uid } of page) {
      eachAlone(turn, uid, () => {
        const row = tx.object(uid);
        if (row?.factsSchema === turn.unwritten.schemaOf(kind)) replan(turn, row);
      });
    }
  }
}
