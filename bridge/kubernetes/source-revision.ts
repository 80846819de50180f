import type { KubeObject } from './fields.ts';
import { objectAt, textAt } from './fields.ts';
import type { FieldsPlan } from './plan.ts';

/** The commit of which an image was built, as the OCI names it; builders write it on images, people on workloads. */
export const SOURCE_REVISION = 'org.opencontainers.image.revision';

/** A commit, or what else Git knows by a name. */
const REF = /^[\w./+@-]{1,255}$/;

const isSourceRevision = (key: string): boolean => key === SOURCE_REVISION;

/** What is read of the template of a workload's pods. */
export const TEMPLATE: FieldsPlan = { metadata: { labels: isSourceRevision, annotations: isSourceRevision } };

/** Of which commit a workload's pods are. */
export interface SourceRevision {
  /** As a label or annotation of the template says it, else of the workload. */
  readonly sourceRevision?: string;
}

/** Nothing where none is named. */
export function readSourceRevision(object: KubeObject): SourceRevision {
  const template = objectAt(objectAt(objectAt(object, 'spec'), 'template'), 'metadata');
  const texts = [template, objectAt(object, 'metadata')].flatMap((metadata) =>
    ['annotations', 'labels'].map((field) => textAt(objectAt(metadata, field), SOURCE_REVISION)),
  );
  const sourceRevision = texts.find((text) => text !== undefined && REF.test(text));
  return sourceRevision === undefined ? {} : { sourceRevision };
}
