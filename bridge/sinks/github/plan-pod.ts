import { isLastPhase } from '../../kubernetes/kinds/pod.ts';
import type { ContainerFacts, PodFacts } from '../../kubernetes/observation.ts';
import { isOwnedByJob } from '../../kubernetes/metadata.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Desired, DesiredContext } from '../sink.ts';
import { HOLD } from '../sink.ts';
import type { Metadata } from './annotations.ts';
import { metadataOf } from './annotations.ts';
import { MAX_NAME, MAX_VERSION } from './api-limits.ts';
import type { GithubPlanConfig } from './config.ts';
import { digestOf, nameAndTag } from './image.ts';
import { rankOf, sinceOf } from './rank.ts';
import type { DeploymentRecord } from './record.ts';
import { readRecord, recordKey, toJson } from './record.ts';
import type { Target } from './target.ts';
import { isSelected, isTooLong, placed, targetOf } from './target.ts';
import { workloadOf } from './workload.ts';

/** What a pod claims: the record of each container that runs, and that the record of one whose digest is not known stays. */
export function planPod(pod: PodFacts, context: DesiredContext, config: GithubPlanConfig): readonly Desired[] {
  const owners = context.owners();
  const found = workloadOf(pod, owners);
  // One that cannot be read is read again: what was claimed until then stays.
  if (found === 'unseen') return context.claims();
  if (found === undefined || !counts(pod)) return [];
  const workload = placed(found, context, config);
  if (!isSelected(workload, config)) return [];
  const of = { uid: workload.uid, createdAt: workload.createdAt };
  const before = context.claims();
  const claims = new Map<string, Desired>();
  for (const container of recorded(pod)) {
    const target = targetOf(workload, container.name, config);
    if (target === undefined || isTooLong(target)) continue;
    const key = recordKey(target);
    const made = recordOf(pod, container, target, metadataOf([pod, ...owners]));
    const past = pastOf(before.find((claim) => claim.key === key));
    const record = made && asItRuns(made, container, past?.record);
    const known = claims.get(key);
    if (known !== undefined && (known.wanted !== HOLD || record === undefined)) continue;
    if (record === undefined) claims.set(key, { key, wanted: HOLD, of });
    else {
      const rank = rankOf(pod.phase === 'Running', since(record, pod, container, past, context.now));
      claims.set(key, { key, wanted: toJson(record), of, rank });
    }
  }
  return [...claims.values()];
}

/** Apps first: where a template gives several containers one name, that is the record's. A debugger's container is none. */
export function recorded({ containers }: PodFacts): readonly ContainerFacts[] {
  const of = (type: ContainerFacts['type']) => containers.filter((container) => container.type === type);
  return [...of('app'), ...of('sidecar'), ...of('init')];
}

/** A pod that is over stands for its Job while it is there; of other workloads (evicted ones stay for days) it runs nothing. */
function counts(pod: PodFacts): boolean {
  return !isLastPhase(pod.phase) || isOwnedByJob(pod.owner);
}

/** What a pod had until now under a key, and since when. */
interface Past {
  readonly record: DeploymentRecord;
  readonly since: Instant;
}

function pastOf(claim: Desired | undefined): Past | undefined {
  if (claim === undefined || claim.wanted === HOLD) return undefined;
  const record = readRecord(claim.wanted);
  return record && { record, since: sinceOf(claim.rank ?? 0) };
}

/** Since when a pod runs this digest: a container that is started again may get another one under its tag. */
function since(
  { digest }: DeploymentRecord,
  { createdAt = 0 }: PodFacts,
  { runningSince, terminated }: ContainerFacts,
  past: Past | undefined,
  now: Instant,
): Instant {
  if (past === undefined) return createdAt;
  if (past.record.digest === digest) return past.since;
  return Math.max(runningSince ?? terminated?.startedAt ?? now, createdAt);
}

/**
 * A pod's image can be changed in place. Until its container is started again, the one that runs is of the image before: its
 * digest has that one's name and version, and not yet those of the spec.
 */
function asItRuns(
  record: DeploymentRecord,
  { image }: ContainerFacts,
  before: DeploymentRecord | undefined,
): DeploymentRecord {
  if (before?.digest !== record.digest || isOfImage(record, image) || !isOfImage(before, image)) return record;
  const { version: _, ...rest } = record;
  return { ...rest, name: before.name, ...(before.version !== undefined && { version: before.version }) };
}

/** Whether a status has this image; a runtime may write the registry before a name that has none. */
function isOfImage({ name, version = '' }: DeploymentRecord, image: string): boolean {
  const said = nameAndTag(image);
  return said.tag === version && (said.name === name || said.name.endsWith(`/${name}`));
}

/** Undefined while it has not run, or GitHub could not take it. */
function recordOf(
  pod: PodFacts,
  container: ContainerFacts,
  target: Target,
  { tags, risks, repository }: Metadata,
): DeploymentRecord | undefined {
  const image = digestOf(container.imageId, container.specImage);
  if (!('digest' in image) || !hasRun(pod, container)) return undefined;
  const { name, tag } = nameAndTag(container.specImage ?? container.image);
  if (name === '' || name.length > MAX_NAME) return undefined;
  return {
    ...target,
    name,
    digest: image.digest,
    ...(tag !== '' && tag.length <= MAX_VERSION && { version: tag }),
    status: 'deployed',
    ...(Object.keys(tags).length > 0 && { tags: { ...tags } }),
    ...(risks.length > 0 && { runtime_risks: [...risks] }),
    ...(repository !== undefined && { github_repository: repository }),
  };
}

/** A pod that is pending may have init containers that run. */
function hasRun(pod: PodFacts, { runningSince, terminated, lastTerminated }: ContainerFacts): boolean {
  if (pod.phase === 'Running' || isLastPhase(pod.phase)) return true;
  return runningSince !== undefined || terminated !== undefined || lastTerminated !== undefined;
}

export const NO_RECORD = 'no record of this container';

/** Why a container of a recorded pod has no record, or one with less in it; undefined while all is well. */
export function containerProblem({
  imageId,
  specImage = '',
  image,
}: ContainerFacts): { readonly value: string; readonly allowed: string; readonly used: string } | undefined {
  const found = digestOf(imageId, specImage);
  if ('unusable' in found) {
    return {
      value: found.unusable,
      allowed: 'the digest of an image in a registry: REPOSITORY@sha256:…',
      used: NO_RECORD,
    };
  }
  const { name, tag } = nameAndTag(specImage || image);
  const allowed = `an image whose name has 1 to ${MAX_NAME} characters and its tag at most ${MAX_VERSION}`;
  if (name === '' || name.length > MAX_NAME) return { value: name, allowed, used: NO_RECORD };
  return tag.length > MAX_VERSION ? { value: tag, allowed, used: 'a record without version' } : undefined;
}
