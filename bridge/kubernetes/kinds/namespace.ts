import { isOwnAnnotation } from '../annotations.ts';
import type { KubeObject } from '../fields.ts';
import type { KindSpec } from '../kind-spec.ts';
import { readMetadata } from '../metadata.ts';
import type { ObjectFacts } from '../object-facts.ts';

/** Its labels and annotations speak for all that is in it. Its `namespace` is its own name: by that it is found and selected. */
export interface NamespaceFacts extends ObjectFacts {
  readonly kind: 'Namespace';
}

function read(object: KubeObject, keeps = isOwnAnnotation): NamespaceFacts {
  const metadata = readMetadata(object, keeps);
  return { kind: 'Namespace', ...metadata, namespace: metadata.name };
}

export const NAMESPACE: KindSpec<NamespaceFacts> = {
  apiVersion: 'v1',
  resource: 'namespaces',
  namespaced: false,
  plan: {},
  read,
  schema: 1,
  longLived: true,
  audit: 'full',
};
