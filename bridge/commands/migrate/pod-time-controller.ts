import { textAt } from '../../kubernetes/fields.ts';
import { asItIs, KUBECONFIG, noted, OTHER_IMAGE, OWN_ROLES } from './common-rules.ts';
import type { Draft, Given, Rule } from './draft.ts';
import type { OldTool } from './tool.ts';
import { workloadRules } from './workload-rules.ts';

/** Every value of its chart and every flag; it has no variables. */
const RULES: Readonly<Record<string, Rule>> = {
  'image.repository': noted(OTHER_IMAGE, 'ivanfetch/pod-time-controller'),
  'image.tag': noted(OTHER_IMAGE),
  'image.pullPolicy': noted(OTHER_IMAGE, 'IfNotPresent'),
  ...workloadRules('imagePullSecrets', 'nameOverride', 'fullnameOverride'),
  ...workloadRules('serviceAccount.create', 'serviceAccount.name'),
  'serviceAccount.annotations': asItIs,
  'clusterRole.create': noted(OWN_ROLES, true),
  'clusterRole.name': noted(OWN_ROLES),
  podAnnotations: asItIs,
  ...workloadRules('podSecurityContext', 'securityContext', 'resources', 'nodeSelector', 'tolerations', 'affinity'),
  replicaCount: { standard: 1, translate: replicas },
  '-debug': { translate: debug },
  '-kubeconfig': KUBECONFIG,
  '-version': noted('without effect: it prints the version and ends'),
};

/** pod-time-controller (ivanfetch/pod-time-controller). */
export const POD_TIME_CONTROLLER: OldTool = {
  name: 'pod-time-controller',
  title: 'pod-time-controller',
  chart: 'pod-time-controller',
  doc: 'docs/timestamp.md',
  rules: RULES,
  defaults: {},
  begin(draft) {
    draft.set('scope', 'cluster', 'the old controller wrote to pods of all namespaces');
    draft.set('kubernetes.default.trigger', 'addtime', 'as it was');
    draft.set('kubernetes.default.result', 'timestamp', 'as it was: RFC 3339, in UTC');
    draft.note(
      'pods that are over',
      'they got a timestamp too; here they do not, unless kubernetes.default.over is write',
    );
  },
  dash: '-',
  booleanFlags: new Set(['-debug', '-version']),
  isIn: (container) =>
    [textAt(container, 'name'), textAt(container, 'image')].some((text) => text?.includes('pod-time-controller')),
};

function replicas({ source, value }: Given, draft: Draft): void {
  draft.note(source, `not taken over (${JSON.stringify(value)}): the bridge is one, and its store has a lock`);
}

/** As Go reads it; the flag alone is true. */
function debug(given: Given, draft: Draft): void {
  const word = String(given.value);
  if (/^(1|t|T|true|TRUE|True)$/.test(word)) draft.set('bridge.config.log.level', 'debug', `from ${given.source}`);
  else if (!/^(0|f|F|false|FALSE|False)$/.test(word)) draft.refuse(given, 'true, false');
}
