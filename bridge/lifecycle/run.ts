import { isOwnedByCronJob } from '../kubernetes/metadata.ts';
import type { JobFacts, Owner } from '../kubernetes/observation.ts';
import { trueCondition } from './conditions.ts';
import type { JobState } from './job.ts';
import type { PodState } from './pod-state.ts';
import type { Run, RunStatus } from './transition.ts';

/** Owners that are named; the others are left out. */
const MAX_NAMED = 3;

/** (CronJob UID, scheduled instant) of a Job that a CronJob's schedule made; the UID of any other. */
export function runKeyOf(facts: JobFacts): string {
  return isOwnedByCronJob(facts.owner) && facts.scheduledAt !== undefined && !facts.manual
    ? `${facts.owner.uid}/${facts.scheduledAt}`
    : facts.uid;
}

/** In words, who owns a Job that no CronJob owns; undefined when it has no owner. */
function ownedBy({ owner, namedOwners = [] }: JobFacts): string | undefined {
  if (isOwnedByCronJob(owner)) return undefined;
  if (owner !== undefined) return ownerText(owner);
  const names = namedOwners.slice(0, MAX_NAMED).map(ownerText).join(', ');
  return names === '' ? undefined : `nobody that controls it, only named by: ${names}`;
}

function ownerText({ kind, name, group }: Owner): string {
  return `${kind} ${name}${group === '' ? '' : ` (${group})`}`;
}

/** The Job as people see it; `stuckOn` is the waiting reason of one of its live pods. */
export function jobRun(state: JobState, runKey: string, stuckOn: string | undefined): Run {
  const { facts, startedAt, ended } = state;
  const status = ended?.outcome ?? activeStatus(state, stuckOn);
  const owners = ownedBy(facts);
  const failsAt = trueCondition(facts.conditions, 'FailureTarget')?.at;
  return {
    uid: facts.uid,
    kind: 'Job',
    namespace: facts.namespace,
    name: facts.name,
    runKey,
    ...(facts.manual && { manual: true }),
    ...(owners !== undefined && { ownedBy: owners }),
    ownerKind: facts.owner?.kind,
    ownerName: facts.owner?.name,
    ownerUid: facts.owner?.uid,
    status,
    createdAt: facts.createdAt,
    scheduledAt: facts.scheduledAt,
    startedAt,
    endedAt: ended?.at,
    reason: ended === undefined ? (status === 'stuck' ? stuckOn : undefined) : ended.reason,
    message: ended?.message,
    deleted: state.deletedAt !== undefined || state.gone !== undefined,
    failedPods: facts.failed,
    ...(failsAt !== undefined && { failsAt }),
  };
}

function activeStatus(state: JobState, stuckOn: string | undefined): RunStatus {
  if (state.suspended) return 'suspended';
  if (stuckOn !== undefined) return 'stuck';
  return state.startedAt === undefined ? 'pending' : 'running';
}

/** What the live pods of a run wait for: the first waiting reason that needs a person. */
export function stuckReason(pods: readonly PodState[]): string | undefined {
  const waits = ({ endedAt, gone, stuck }: PodState) => endedAt === undefined && !gone && stuck !== undefined;
  return pods.find(waits)?.stuck?.reason;
}
