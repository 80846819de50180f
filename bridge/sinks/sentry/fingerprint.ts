import type { Facts } from '../../kubernetes/observation.ts';
import { agentPattern } from './agent-patterns.ts';
import type { Failure } from './failure.ts';
import type { Subject } from './subject.ts';

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
export function agentGrouping(message: string, { about, chain, workload }: Subject): AgentGrouping {
  const pattern = agentPattern(message);
  const [object] = chain;
  if (object === undefined || !ENHANCED.has(about.kind)) return { message, fingerprint: pattern };
  const base = pattern ?? [message];
  const root = isEnhanced(chain) ? [workload.kind, rootName(chain, workload.name)] : [];
  return { message: `${about.name}: ${message}`, fingerprint: [...base, ...root] };
}

/** Whether it finds every owner, up to the last; the ReplicaSet of a Deployment counts as found. */
function isEnhanced(chain: readonly Facts[]): boolean {
  const last = chain.at(-1);
  if (last === undefined || !chain.every(({ kind }) => ENHANCED.has(kind))) return false;
  const { owner, labels } = last;
  if (owner === undefined) return true;
  return owner.kind === 'ReplicaSet' && owner.group === 'apps' && labels['pod-template-hash'] !== undefined;
}

/** Names are never shortened there. */
function rootName(chain: readonly Facts[], workload: string): string {
  const last = chain.at(-1);
  return last === undefined || last.owner !== undefined ? workload : last.name;
}
