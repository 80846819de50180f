import type { CronJobFacts, Facts, PodFacts } from '../../kubernetes/observation.ts';
import type { ObjectRef } from '../../lifecycle/transition.ts';
import type { PlanContext } from '../sink.ts';
import { guessWorkload, withoutGenerated } from './generated-names.ts';

export interface Workload {
  readonly kind: string;
  readonly name: string;
}

/** To whom something happened, as people see it. */
export interface Subject {
  readonly about: ObjectRef;
  /** The object of `about` and who owns it, nearest first, live or deleted, as far as they were seen; maybe nothing. */
  readonly chain: readonly Facts[];
  readonly pod: PodFacts | undefined;
  /** The outermost owner; it does not change while pods, ReplicaSets and Jobs come and go. */
  readonly workload: Workload;
  readonly cronJob: CronJobFacts | undefined;
}

type Known = Pick<PlanContext, 'run' | 'object' | 'runObject' | 'owners'>;

/** Who owns an object, whether or not its owners were seen or are deleted by now. */
export function subjectOf(about: ObjectRef, context: Known): Subject {
  const chain = chainOf(context);
  const [first] = chain;
  const pod = first?.kind === 'Pod' ? first : undefined;
  const cronJob = chain.find((facts) => facts.kind === 'CronJob');
  return { about, chain, pod, workload: workloadOf(chain, about, context), cronJob };
}

function chainOf({ object, runObject, owners }: Known): Facts[] {
  const all = [object(), runObject(), ...owners()].filter((facts) => facts !== undefined);
  const byUid = new Map(all.map((facts) => [facts.uid, facts]));
  return [...byUid.values()];
}

function workloadOf(chain: readonly Facts[], about: ObjectRef, { run }: Known): Workload {
  const last = chain.at(-1);
  if (last !== undefined) return ownerOf(last) ?? named(last);
  if (run === undefined) return guessWorkload(about);
  const { ownerKind, ownerName, kind, name } = run;
  return ownerKind === undefined || ownerName === undefined ? { kind, name } : { kind: ownerKind, name: ownerName };
}

/**
 * The owner that was not seen itself, by its reference. The Deployment of a ReplicaSet is known all the same: it labels the
 * pods with what it added to its own name.
 */
function ownerOf({ owner, labels }: Facts): Workload | undefined {
  if (owner === undefined) return undefined;
  const hash = labels['pod-template-hash'];
  const suffix = `-${hash}`;
  if (hash && owner.group === 'apps' && owner.kind === 'ReplicaSet' && owner.name.endsWith(suffix)) {
    return { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) };
  }
  return named(owner);
}

/** Kinds whose names people write; names of others are often made up for each object. */
const WRITTEN: ReadonlySet<string> = new Set(['CronJob', 'Deployment', 'StatefulSet', 'DaemonSet', 'Node']);

function named({ kind, name }: Workload): Workload {
  return { kind, name: WRITTEN.has(kind) ? name : withoutGenerated(name) };
}
