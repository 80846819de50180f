import type { KubeObject } from '../../kubernetes/fields.ts';

/** One Kubernetes object as a record carried it; its namespace is in the object, not in the record. */
export interface ObjectRecord {
  /** The object is gone; this is its last state. */
  readonly deleted: boolean;
  readonly object: KubeObject;
}

const WATCH_TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED']);

/**
 * The object in a record's body: watch-shaped (`{type, object}`) or pull-shaped (the object itself). Undefined when it is
 * no Kubernetes object with kind, apiVersion and metadata.{uid, name, resourceVersion}.
 */
export function readRecord(body: unknown): ObjectRecord | undefined {
  if (!isMap(body)) return undefined;
  const watched = WATCH_TYPES.has(body['type']) && isMap(body['object']);
  const object = watched ? body['object'] : body;
  return isKubeObject(object) ? { deleted: watched && body['type'] === 'DELETED', object } : undefined;
}

/** Whether it has kind, apiVersion and metadata.{uid, name, resourceVersion}. */
export function isKubeObject(value: unknown): value is KubeObject {
  if (!isMap(value) || !hasTexts(value, ['kind', 'apiVersion'])) return false;
  const metadata = value['metadata'];
  return isMap(metadata) && hasTexts(metadata, ['uid', 'name', 'resourceVersion']);
}

function hasTexts(object: KubeObject, fields: readonly string[]): boolean {
  return fields.every((field) => typeof object[field] === 'string' && object[field] !== '');
}

function isMap(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
