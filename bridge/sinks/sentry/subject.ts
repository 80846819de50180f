import type { CronJobFacts, Facts, Owner, PodFacts } from '../../kubernetes/observation.ts';
import type { ObjectRef } from '../../lifecycle/transition.ts';
import type { PlanContext } from '../sink.ts';
import { guessWorkload, withoutAdded, withoutGenerated } from './generated-names.ts';

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
  /** Any other object, as far as it was seen. */
  readonly facts: PlanContext['facts'];
}

type Known = Pick<PlanContext, 'run' | 'object' | 'runObject' | 'owners' | 'facts'>;

/** Who owns an object, whether or not its owners were seen or are deleted by now. */
export function subjectOf(about: ObjectRef, context: Known): Subject {
  const chain = chainOf(context);
  const [first] = chain;
  const pod = first?.kind === 'Pod' ? first : undefined;
  const cronJob = chain.find((facts) => facts.kind === 'CronJob');
  return { about, chain, pod, workload: workloadOf(chain, about, context), cronJob, facts: context.facts };
}

function chainOf({ object, runObject, owners }: Known): Facts[] {
  const all = [object(), runObject(), ...owners()].filter((facts) => facts !== undefined);
  const byUid = new Map(all.map((facts) => [facts.uid, facts]));
  return [...byUid.values()];
}

function workloadOf(chain: readonly Facts[], about: ObjectRef, { run }: Known): Workload {
  const last = chain.at(-1);
  if (last !== undefined)
    return ownerOf(last) ?? { kind: last.kind, name: isWritten(last) ? last.name : withoutAdded(last) };
  if (run === undefined) return guessWorkload(about);
  const { ownerKind, ownerName, kind, name } = run;
  return ownerKind === undefined || ownerName === undefined ? { kind, name } : { kind: ownerKind, name: ownerName };
}

/** The owner that was not seen itself, by its reference. */
function ownerOf(facts: Facts): Workload | undefined {
  const { owners, owner = owners?.[0] } = facts;
  return owner && (deploymentOf(facts, owner) ?? named(owner));
}

/**
 * The Deployment of a ReplicaSet that was never seen: it labels the pods with what it adds to its own name. Undefined for any
 * other owner.
 */
export function deploymentOf({ labels }: Facts, { group, kind, name }: Owner): Workload | undefined {
  const hash = labels['pod-template-hash'];
  const suffix = `-${hash}`;
  if (!hash || group !== 'apps' || kind !== 'ReplicaSet' || !name.endsWith(suffix)) return undefined;
  return { kind: 'Deployment', name: name.slice(0, -suffix.length) };
}

/** Kinds whose names people write; names of others are often made up for each object. */
const WRITTEN: ReadonlySet<string> = new Set(['CronJob', 'Deployment', 'StatefulSet', 'DaemonSet', 'Node']);

const isWritten = ({ kind }: Pick<Workload, 'kind'>): boolean => WRITTEN.has(kind);

function named({ kind, name }: Workload): Workload {
  return { kind, name: isWritten({ kind }) ? name : withoutGenerated(name) };
}
