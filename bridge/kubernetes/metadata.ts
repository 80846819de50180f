import type { Instant } from '../lib/clock.ts';
import type { KeepsAnnotation } from './annotations.ts';
import type { KubeObject } from './fields.ts';
import { booleanAt, isInstant, objectAt, objectsAt, secondsAt, stringsAt, textAt, timeAt } from './fields.ts';
import type { ObjectFacts, Owner } from './object-facts.ts';
import { isSecretName, REDACTED, redactAddress, redactValue } from './redact.ts';

const MAX_OWNERS = 10;

/** `metadata` of an object whose UID and resourceVersion are known to be there. */
export function readMetadata(object: KubeObject, keeps: KeepsAnnotation): ObjectFacts {
  const metadata = objectAt(object, 'metadata');
  const references = objectsAt(metadata, 'ownerReferences');
  // The one with `controller: true`: names are never cut to find an owner.
  const controller = references.find((candidate) => booleanAt(candidate, 'controller'));
  const generateName = controller === undefined ? readGenerateName(metadata) : undefined;
  const isShared = references.some((candidate) => !booleanAt(candidate, 'controller'));
  return {
    uid: textAt(metadata, 'uid') ?? '',
    namespace: textAt(metadata, 'namespace') ?? '',
    name: textAt(metadata, 'name') ?? '',
    ...(generateName !== undefined && { generateName }),
    resourceVersion: textAt(metadata, 'resourceVersion') ?? '',
    createdAt: timeAt(metadata, 'creationTimestamp'),
    deletionAt: readDeletion(metadata),
    owner: controller && readOwner(controller),
    ...(isShared && { owners: references.slice(0, MAX_OWNERS).flatMap((it) => readOwner(it) ?? []) }),
    labels: readLabels(object),
    annotations: readAnnotations(object, keeps),
  };
}

/** Kubernetes cuts a long one, and keeps one beside a name that somebody gave. */
const MAX_GENERATE_NAME = 58;

function readGenerateName(metadata: KubeObject): string | undefined {
  const given = textAt(metadata, 'generateName')?.slice(0, MAX_GENERATE_NAME);
  const name = textAt(metadata, 'name') ?? '';
  return given !== undefined && name.startsWith(given) && name.length === given.length + 5 ? given : undefined;
}

/**
 * The annotations of an object that are kept, without secrets. A note with a password in it would be stored, shown and sent; so
 * would an annotation api-key, which nothing reads.
 */
function readAnnotations(object: KubeObject, keeps: KeepsAnnotation): Record<string, string> {
  const kept = stringsAt(objectAt(object, 'metadata'), 'annotations', keeps);
  for (const [name, value] of Object.entries(kept)) {
    if (keeps(name) === 'address') kept[name] = redactAddress(value);
    else kept[name] = isSecretName(name) ? REDACTED : redactValue(value);
  }
  return kept;
}

/** No label can hold more than a token by itself: letters, digits and _ . - are all that is allowed. */
const TOKEN =
  /^(?:gh[pousr]_|github_|gl[a-z]{1,5}[-_]|npm_|xox|xapp-|[prs]k_|sk-|hv[bsr]\.|do[opr]_|hf_|A[A-Z]{3}|A3T|AIza|eyJ|dckr_|pypi-|ya29|GOCSPX|whsec_|SG\.|dapi|shp|lin_|sntry|AT[AC]TT|ntn_|sbp_|NRAK|PMAK|pul-|rubygems_|HRKU|dp\.|AGE-)/;

function readLabels(object: KubeObject): Record<string, string> {
  const labels = stringsAt(objectAt(object, 'metadata'), 'labels', () => true);
  for (const [name, value] of Object.entries(labels)) if (TOKEN.test(value)) labels[name] = redactValue(value);
  return labels;
}

/**
 * A pod's deletionTimestamp lies in the future by its grace period, until kubelet asks again without one. A grace period
 * that begins before the object did is none: then the timestamp counts as it is.
 */
function readDeletion(metadata: KubeObject): Instant | undefined {
  const timestamp = timeAt(metadata, 'deletionTimestamp');
  if (timestamp === undefined) return undefined;
  const asked = timestamp - (secondsAt(metadata, 'deletionGracePeriodSeconds') ?? 0) * 1_000;
  return isInstant(asked) && asked >= (timeAt(metadata, 'creationTimestamp') ?? 0) ? asked : timestamp;
}

/** The ownerReferences without `controller: true`, each UID once, in their order. */
export function readNamedOwners(object: KubeObject): Owner[] {
  const references = objectsAt(objectAt(object, 'metadata'), 'ownerReferences');
  const named = references
    .filter((candidate) => !booleanAt(candidate, 'controller'))
    .flatMap((it) => readOwner(it) ?? []);
  return [...new Map(named.map((owner) => [owner.uid, owner])).values()];
}

function readOwner(reference: KubeObject): Owner | undefined {
  const uid = textAt(reference, 'uid');
  if (uid === undefined) return undefined;
  return {
    group: groupOf(textAt(reference, 'apiVersion') ?? ''),
    kind: textAt(reference, 'kind') ?? '',
    name: textAt(reference, 'name') ?? '',
    uid,
  };
}

/** The API group of an apiVersion, empty for that of Pods. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** The name that the CronJob controller gives to the Job of a scheduled instant. */
export function scheduledJobName(cronJob: string, at: Instant): string {
  return `${cronJob}-${Math.floor(at / 60_000)}`;
}

/** True when the owner is a CronJob of the batch API group. */
export function isOwnedByCronJob(owner: Owner | undefined): owner is Owner {
  return owner?.kind === 'CronJob' && owner.group === 'batch';
}

/** True when the owner is a Job of the batch API group. */
export function isOwnedByJob(owner: Owner | undefined): owner is Owner {
  return owner?.kind === 'Job' && owner.group === 'batch';
}
