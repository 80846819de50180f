import { ALWAYS, withNeeded } from '../../bridge/kubernetes/followed.ts';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { groupOf } from '../../bridge/kubernetes/metadata.ts';
import type { Kind } from '../../bridge/kubernetes/observation.ts';
import { neededKinds, SINKS } from '../../bridge/sinks/index.ts';
import type { SinkModule } from '../../bridge/sinks/module.ts';
import { destinationSchema } from './json-schema.ts';

const KIND_NAMES = (Object.keys(KINDS) as Kind[]).toSorted();

/**
 * What the templates know of kinds: where the API has each, whether the bridge compares it with the API, and what is followed
 * why: always, for a destination of a sink, or because `watch` names a kind. Also, for which sinks logs are read.
 */
export function kindsFile(): string {
  const sinks = Object.keys(SINKS);
  const always: readonly Kind[] = ALWAYS;
  const reasons: readonly (readonly [string, readonly Kind[]])[] = [
    ...sinks.map((sink) => [sink, neededKinds([sink])] as const),
    ...KIND_NAMES.map((kind) => [kind, withNeeded([kind])] as const),
  ];
  const follow = reasons.map(([reason, kinds]) => {
    const more = kinds.filter((kind) => !always.includes(kind)).toSorted();
    return `  ${reason}: [${more.join(', ')}]`;
  });
  return [
    '# Written by scripts/gen-charts.ts from the KINDS and the SINKS of the bridge.',
    'kinds:',
    ...KIND_NAMES.map((kind) => `  ${kind}: { ${placeOf(kind)} }`),
    '# What is followed by the reason for it: a sink that has a destination, or a kind that is watched for the page.',
    'follow:',
    `  always: [${always.toSorted().join(', ')}]`,
    ...follow,
    '# Sinks whose destinations take logs unless they say shipLogs: false.',
    `shipLogs: [${sinks.filter((sink) => 'shipLogs' in destinationSchema(sink).properties).join(', ')}]`,
    '# Kinds whose objects a sink changes while one of its destinations is not a dry run.',
    'patches:',
    ...Object.entries<SinkModule>(SINKS).flatMap(([sink, { patches }]) =>
      patches === undefined ? [] : [`  ${sink}: [${patches.join(', ')}]`],
    ),
    '',
  ].join('\n');
}

function placeOf(kind: Kind): string {
  const { apiVersion, resource, namespaced, audit } = KINDS[kind];
  const cluster = namespaced ? '' : ', cluster: true';
  const audited = audit === 'full' ? ', audited: true' : '';
  return `group: '${groupOf(apiVersion)}', resource: ${resource}${cluster}${audited}`;
}
