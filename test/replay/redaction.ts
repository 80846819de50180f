import type { Json } from '../../bridge/lib/json.ts';
import { canonicalJson } from '../../bridge/lib/json.ts';

/** What redaction.yaml is to make of a record's body, watched or pulled; written otherwise than its generator. */
export function redacted(body: unknown): unknown {
  const whole = structuredClone(body) as Tree;
  const object = (whole['object'] ?? whole) as Tree;
  const metadata = object['metadata'] as Tree;
  delete metadata['managedFields'];
  delete (metadata['annotations'] as Tree | undefined)?.['kubectl.kubernetes.io/last-applied-configuration'];
  withoutEnv(object);
  return whole;
}

interface Tree {
  [key: string]: unknown;
}

function withoutEnv(value: unknown): void {
  if (Array.isArray(value)) value.forEach(withoutEnv);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (/^(c|initC|ephemeralC)ontainers$/.test(key)) for (const container of inner as Tree[]) delete container['env'];
    withoutEnv(inner);
  }
}

/** The same text for equal values, in whatever order their keys are; a value that is undefined does not count. */
export const canonical = (value: unknown): string => canonicalJson(JSON.parse(JSON.stringify(value)) as Json);
