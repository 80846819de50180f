import type { PodFacts } from '../kubernetes/observation.ts';
import { logEnd } from '../lifecycle/logs.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import type { Run, Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { cutoffReason } from '../policy/cutoff.ts';
import type { Tx } from '../store/tx.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import type { Known } from './known-run.ts';

/** Job and pods come by watches of their own: the last container's end may be seen after the end of its run. */
const SETTLE_MS = 10_000;

/** The transitions with which logs are sent. */
const LOGS_GO_WITH = ['run.logs', 'run.settled'] as const;

/** What is known of a run where its transitions are planned. */
export interface PlannedRun {
  readonly run: Run;
  readonly known: Known;
  readonly memos: Readonly<Record<string, Json>>;
  /** Its pods that were read for this: one may report the ends of many containers at once. */
  readonly pods: Map<string, PodFacts | undefined>;
}

/** Asks for the log of a container that ended, if a destination takes it; logs are reported when the run is over too. */
export function wantLogs(turn: Turn, planned: PlannedRun, transition: Transition): void {
  const { tx, now } = turn;
  const { kind, about } = transition;
  const { run } = planned;
  if (kind === 'run.ended' && tx.logs.ofRun(run.uid).length > 0) awaitLogs(tx, run, now + SETTLE_MS);
  if (kind !== 'container.terminated' || !isWanted(turn, planned, transition)) return;
  const pod = podOf(tx, planned, about.uid);
  const end = pod && logEnd(pod, transition);
  if (end === undefined) return;
  tx.logs.want(end, now);
  if (run.endedAt !== undefined) awaitLogs(tx, run, now + SETTLE_MS);
}

function podOf(tx: Tx, { pods }: PlannedRun, uid: string): PodFacts | undefined {
  if (!pods.has(uid)) {
    const row = tx.objects.get(uid);
    pods.set(uid, row && stateOf<PodState>(row).facts);
  }
  return pods.get(uid);
}

/** Looks at the logs of a run again then. */
export function awaitLogs(tx: Tx, { uid }: Run, due: Instant): void {
  tx.timers.set({ id: logsTimer(uid), kind: 'logs', uid, due });
}

export const logsTimer = (runUid: string): string => `logs/${runUid}`;

/** Asks for the log of a container of a pod that belongs to no run, if a destination takes it. */
export function wantLogOfPod(turn: Turn, known: Known, transition: Transition): void {
  const { tx, now } = turn;
  const row = isWanted(turn, { run: undefined, known, memos: {} }, transition)
    ? tx.objects.get(transition.about.uid)
    : undefined;
  const end = row?.kind === 'Pod' ? logEnd(stateOf<PodState>(row).facts, transition) : undefined;
  if (end !== undefined) tx.logs.want(end, now);
}

interface Asked extends Pick<PlannedRun, 'known' | 'memos'> {
  readonly run: Run | undefined;
}

function isWanted(turn: Turn, { run, known, memos }: Asked, transition: Transition): boolean {
  const { tx, destinations } = turn;
  if (tx.retirement.covers(transition.at)) return false;
  return destinations.some(({ planner, rule, readsLogs = true }) => {
    const { destination } = planner;
    if (!readsLogs || !LOGS_GO_WITH.some((kind) => planner.hears.has(kind))) return false;
    const context = known.contextOf(destination, memos[destination], transition.about);
    if (planner.wantsLogs?.({ ...context, run }, transition) !== true) return false;
    const start = run && tx.timeline.decision(`${run.runKey}/started`, destination);
    const started = start?.verdict === 'planned';
    return cutoffReason(transition, run, started, rule) === undefined;
  });
}
