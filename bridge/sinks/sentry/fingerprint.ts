import type { Facts } from '../../kubernetes/observation.ts';
import { agentPattern } from './agent-patterns.ts';
import type { Failure } from './failure.ts';
import { deploymentOf } from './subject.ts';
import type { Subject, Workload } from './subject.ts';

/**
 * Cluster, namespace and workload; then what went wrong, with the container. Nothing of it changes with the name of a pod, a
 * ReplicaSet or a Job, or with the words of a message.
 */
export function stableFingerprint(failure: Failure, { workload, about }: Subject, clusterId: string): string[] {
  const { kind, container = '', detail = '' } = failure;
  return [clusterId, about.namespace, workload.kind, workload.name, kind, container, detail];
}

/** What sentry-kubernetes looks at; with anything else it stops. */
const ENHANCED: ReadonlySet<string> = new Set(['Pod', 'ReplicaSet', 'Deployment', 'Job', 'CronJob']);

export interface AgentGrouping {
  /** As its events have it: with the name of the object where that is one that it knows. */
  readonly message: string;
  /** Undefined: Sentry's own grouping, by the message. */
  readonly fingerprint: readonly string[] | undefined;
}

/**
 * Message and fingerprint of sentry-kubernetes, byte for byte, so that its issues go on (research: sentry §3.4, §3.5). Where
 * it lost its way because an owner was deleted, what it would have sent before.
 */
export function agentGrouping(message: string, { about, chain, facts }: Subject): AgentGrouping {
  const pattern = agentPattern(message);
  const [object] = chain;
  if (object === undefined || !ENHANCED.has(about.kind)) return { message, fingerprint: pattern };
  const roots = rootsOf(object, facts, 0) ?? [];
  const base = pattern ?? [message];
  return {
    message: `${about.name}: ${message}`,
    fingerprint: [...base, ...roots.flatMap(({ kind, name }) => [kind, name])],
  };
}

/** Owners of owners end somewhere, and their references may be a circle. */
const MAX_DEPTH = 8;

/**
 * The owners that have none themselves, of all references in their order, each as often as a way leads to it; an object
 * without owners is its own. Undefined if any was not found: then it adds nothing.
 */
function rootsOf(object: Facts, facts: Subject['facts'], depth: number): readonly Workload[] | undefined {
  const { kind, name, owner, owners = owner === undefined ? [] : [owner] } = object;
  if (!ENHANCED.has(kind) || depth > MAX_DEPTH) return undefined;
  if (owners.length === 0) return [{ kind, name }];
  const roots: Workload[] = [];
  for (const reference of owners) {
    const found = facts(reference.uid);
    const deployment = deploymentOf(object, reference);
    const above = found === undefined ? deployment && [deployment] : rootsOf(found, facts, depth + 1);
    if (above === undefined) return undefined;
    roots.push(...above);
  }
  return roots;
}
