import type { DaemonSetFacts } from '../kubernetes/kinds/daemonset.ts';
import type { StatefulSetFacts } from '../kubernetes/kinds/statefulset.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { RevisionFacts, RolloutRun, WorkloadFacts } from './rollout-run.ts';

/** The revision that the status of a record is about: one that is known, or a new one with what holds its template. */
export type About =
  | { readonly run: RolloutRun }
  | { readonly run: undefined; readonly revision: number; readonly step: number; readonly child: RevisionFacts };

/** Of more rollbacks to one template the newest are distinguished. */
const MAX_FORMER = 20;

/** What is known of a ReplicaSet or ControllerRevision after one more record: the newest facts, and all its numbers. */
export function mergeRevision<F extends RevisionFacts>(previous: F | undefined, facts: F): F {
  if (previous === undefined) return facts;
  const newest = compareVersions(facts.resourceVersion, previous.resourceVersion) >= 0 ? facts : previous;
  const numbers = new Set([...numbersOf(previous), ...numbersOf(facts)].filter((one) => one !== newest.revision));
  return { ...newest, former: [...numbers].toSorted((a, b) => a - b).slice(-MAX_FORMER) };
}

/** All numbers that it is known to have had, the newest first. */
function numbersOf({ revision, former }: RevisionFacts): number[] {
  return [...(revision === undefined ? [] : [revision]), ...former.toReversed()];
}

/**
 * Which revision a record of a workload is about; undefined while that is not known, for its ReplicaSet or
 * ControllerRevision was not seen yet, or not with its new number. Records come in any order. `listed`: the version of a LIST
 * of all of these, if one was just taken in.
 */
export function revisionOf(
  facts: WorkloadFacts,
  children: readonly RevisionFacts[],
  runs: readonly RolloutRun[],
  listed?: string,
): About | undefined {
  if (facts.kind === 'StatefulSet') return ofStatefulSet(facts, children, runs);
  if (facts.kind === 'DaemonSet') return ofDaemonSet(facts, children, runs, listed);
  // The controller writes the number on the Deployment and on its ReplicaSet (sync.go: getNewReplicaSet).
  const { revision } = facts;
  if (revision === undefined) return undefined;
  const run = runs.find((known) => known.revision === revision);
  if (run !== undefined) return { run };
  const child =
    children.find((one) => one.revision === revision) ?? children.find((one) => one.former.includes(revision));
  return child && { run, revision, step: facts.observedGeneration, child };
}

/**
 * A StatefulSet names its ControllerRevision, but not its number, which a rollback raises
 * (stateful_set_control.go: getStatefulSetRevisions).
 */
function ofStatefulSet(
  { updateRevision, observedGeneration: step }: StatefulSetFacts,
  children: readonly RevisionFacts[],
  runs: readonly RolloutRun[],
): About | undefined {
  if (updateRevision === undefined) return undefined;
  const child = children.find(({ name }) => name === updateRevision);
  const inForce = runs.filter((run) => run.step <= step).toSorted((a, b) => b.step - a.step)[0];
  if (inForce?.child.name === updateRevision) {
    // Away and back again takes two changes of its spec; with fewer the record is older than the rollback.
    const isBack = child?.revision !== undefined && child.revision > inForce.revision && step >= inForce.step + 2;
    if (!isBack || runs.some((run) => run.step > step)) return { run: inForce };
    return aboutOne([{ child, number: child.revision }], step, runs);
  }
  return (
    child &&
    aboutOne(
      numbersOf(child).map((number) => ({ child, number })),
      step,
      runs,
    )
  );
}

/**
 * A DaemonSet shows only how often its template has changed. Of a new template a ControllerRevision is made with a copy
 * of that count; a rollback raises the number of an old one (daemon/update.go: constructHistory, snapshot).
 */
function ofDaemonSet(
  facts: DaemonSetFacts,
  children: readonly RevisionFacts[],
  runs: readonly RolloutRun[],
  listed: string | undefined,
): About | undefined {
  const { generation, observedGeneration, resourceVersion } = facts;
  if (observedGeneration < generation || observedGeneration === 0) return undefined;
  const step = stepOf(facts);
  const run = runs.find((known) => known.step === step);
  if (run !== undefined) return { run };
  if (isWhole(children, resourceVersion, listed)) return aboutOne(newestOf(children), step, runs);
  const named = children.flatMap((child) => {
    const { first, later } = numbersByOrigin(child, children);
    if (madeAt(child) === step) return first === undefined ? [] : [{ child, number: first }];
    const numbers = madeAt(child) < step ? later.filter((number) => isInStep(number, step, runs)) : [];
    return numbers.map((number) => ({ child, number }));
  });
  // A number that is known is that of another step.
  return aboutOne(
    named.filter(({ number }) => runs.every(({ revision }) => revision !== number)),
    step,
    runs,
  );
}

/** How often the template of a DaemonSet has changed; of one that does not say it, its spec. */
function stepOf({ templateGeneration, generation }: DaemonSetFacts): number {
  return templateGeneration ?? generation;
}

/** Whether which revision a DaemonSet is at may be known only by a LIST of all ControllerRevisions. */
export function awaitsList(facts: WorkloadFacts, runs: readonly RolloutRun[]): boolean {
  return facts.kind === 'DaemonSet' && runs.every((run) => run.step !== stepOf(facts));
}

/**
 * Whether this number came with this change of the template, and not before it: then the number of this one was not seen
 * yet, and its status says nothing of that one. A change raises the newest number by one at most (by none, if the next
 * follows before the controller looks), so it did if both rose by as much since a revision that is known, or from the first.
 */
function isInStep(number: number, step: number, runs: readonly RolloutRun[]): boolean {
  return number === step || runs.some((run) => run.revision < number && step - run.step === number - run.revision);
}

/**
 * Whether these are all that there were when a record was written: they were LISTed since, and none has changed. The
 * controller numbers a revision before it writes of it.
 */
function isWhole(children: readonly RevisionFacts[], version: string, listed: string | undefined): boolean {
  if (listed === undefined || compareVersions(listed, version) < 0) return false;
  return children.every(({ resourceVersion }) => compareVersions(resourceVersion, version) <= 0);
}

/** The one with the highest number. */
function newestOf(children: readonly RevisionFacts[]): Named[] {
  const named = children.flatMap((child) => (child.revision === undefined ? [] : [{ child, number: child.revision }]));
  return named.toSorted((a, b) => b.number - a.number).slice(0, 1);
}

/** How often the template of a DaemonSet had changed when this was made; 0 where that is not known. */
function madeAt(child: RevisionFacts): number {
  return child.kind === 'ControllerRevision' ? (child.templateGeneration ?? 0) : 0;
}

/** The number with which it was made, if that is known, and those that rollbacks gave it. */
function numbersByOrigin(
  child: RevisionFacts,
  children: readonly RevisionFacts[],
): { readonly first: number | undefined; readonly later: readonly number[] } {
  const numbers = numbersOf(child);
  const lowest = Math.min(...numbers);
  const isRaised = children.some((other) => madeAt(other) > madeAt(child) && (other.revision ?? Infinity) < lowest);
  if (isRaised || madeAt(child) === 0) return { first: undefined, later: numbers };
  return { first: numbers.length === 0 ? undefined : lowest, later: numbers.filter((number) => number !== lowest) };
}

interface Named {
  readonly child: RevisionFacts;
  readonly number: number;
}

/** The one of these whose number fits between those of the revisions before and after the record; none if several do. */
function aboutOne(named: readonly Named[], step: number, runs: readonly RolloutRun[]): About | undefined {
  const fitting = named.filter(({ number, child }) =>
    runs.every((run) => {
      // A record of an earlier step may be from when the same template had another number.
      if (run.revision === number) return run.child.uid === child.uid && run.step <= step;
      return run.revision < number ? run.step < step : run.step > step;
    }),
  );
  const [one] = fitting;
  if (one === undefined || fitting.length > 1) return undefined;
  const run = runs.find(({ revision }) => revision === one.number);
  return run === undefined ? { run, revision: one.number, step, child: one.child } : { run };
}
