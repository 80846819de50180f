import { describe, expect, it } from 'vitest';
import { KINDS } from './kinds.ts';
import { SOURCE_REVISION } from './source-revision.ts';

const COMMIT = 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d';
const of = (value: string) => ({ [SOURCE_REVISION]: value });

function read(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', metadata: object, template: object) {
  const object = {
    apiVersion: 'apps/v1',
    kind,
    metadata: { uid: 'u', name: 'web', namespace: 'shop', resourceVersion: '1', ...metadata },
    spec: { template: { metadata: template } },
  };
  return KINDS[kind].read(object)?.sourceRevision;
}

describe.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('the commit of a %s', (kind) => {
  it.each([
    ['an annotation of the template', {}, { annotations: of(COMMIT) }],
    ['a label of the template', {}, { labels: of(COMMIT) }],
    ['its own annotation', { annotations: of(COMMIT) }, {}],
    ['its own label', { labels: of(COMMIT) }, {}],
    ['the template rather than itself', { labels: of('old') }, { labels: of(COMMIT) }],
  ])('is that of %s', (_, metadata, template) => {
    expect(read(kind, metadata, template)).toBe(COMMIT);
  });

  it.each(['', 'two words', 'x'.repeat(300), '\u0000'])('is not %j', (value) => {
    expect(read(kind, { annotations: of(value) }, {})).toBeUndefined();
  });
});
