import type { Facts } from '../kubernetes/observation.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { PlanContext } from '../sinks/sink.ts';
import type { Tx } from '../store/tx.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { takePlan } from './announce.ts';

/** The owner of an owner of … of a pod is as far as anyone goes. */
const MAX_OWNERS = 5;

/** Records what happened to an object that belongs to no run, and plans it for every destination that hears of it. */
export function announceAlone(turn: Turn, transition: Transition): void {
  const { tx, now, destinations } = turn;
  if (!tx.timeline.add(transition, now)) return;
  const context = aloneContext(tx, transition.about.uid);
  for (const to of destinations) {
    const { planner } = to;
    if (!planner.hears.has(transition.kind)) continue;
    const planned = planner.plan(transition, context);
    if (planned !== null) takePlan(turn, to, undefined, transition, planned);
  }
}

function aloneContext(tx: Tx, uid: string): PlanContext {
  let owners: readonly Facts[] | undefined;
  const known = (): readonly Facts[] => (owners ??= ownersOf(tx, uid));
  return {
    run: undefined,
    memo: undefined,
    owners: known,
    attempts: () => [],
    attempt: () => undefined,
    logs: () => [],
    events: () => tx.events.about([uid, ...known().map((owner) => owner.uid)]),
    stickyKey: () => undefined,
  };
}

function ownersOf(tx: Tx, uid: string): Facts[] {
  const owners: Facts[] = [];
  for (let next = tx.objects.get(uid)?.ownerUid; next !== undefined && owners.length < MAX_OWNERS;) {
    const row = tx.objects.get(next);
    if (row !== undefined) owners.push(stateOf<{ readonly facts: Facts }>(row).facts);
    next = row?.ownerUid;
  }
  return owners;
}
