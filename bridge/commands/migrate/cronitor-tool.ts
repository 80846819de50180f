import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt } from '../../kubernetes/fields.ts';
import { ACCOUNT_RULES } from './account-rules.ts';
import type { Draft, Given, Rule } from './draft.ts';
import type { OldTool } from './tool.ts';
import { WORKLOAD_RULES } from './workload-rules.ts';

/** Every value of the old chart, every variable and every flag of the old agent by its name there: the later wins. */
export const RULES: Readonly<Record<string, Rule>> = { ...ACCOUNT_RULES, ...WORKLOAD_RULES };

/** cronitor-kubernetes. */
export const CRONITOR: OldTool = {
  name: 'cronitor',
  title: 'cronitor-kubernetes',
  chart: 'cronitor-kubernetes',
  doc: 'docs/cronitor.md',
  rules: RULES,
  defaults: { config: { shipLogs: true } },
  begin(draft) {
    draft.set('scope', 'cluster', 'the old agent watched all namespaces');
    draft.set('cronitor.default.existingSecret', 'cronitor', 'a Secret with the API key');
    draft.set('cronitor.default.key', 'api-key', '');
    draft.set('cronitor.default.inferredKeys', 'shared', 'key-inference: name makes the keys that it made');
    draft.set('bridge.config.firstSight.lookback', '0s', 'what happened before was reported by the old agent');
    draft.set(
      'bridge.config.firstSight.running',
      'suppress',
      'so was the start of a run that goes on; its end is reported',
    );
  },
  end: checkKey,
  // Without one it shipped no logs; its chart gave it a flag.
  variables: {
    implied: [{ source: 'CRONITOR_AGENT_SHIP_LOGS', value: 'false' }],
    unseen:
      'those of the old agent are not among its variables: look whether it has --ship-logs, --namespace or --dryrun, or use --release',
  },
  dash: '--',
  booleanFlags: new Set(['--dev', '--dryrun', '--ship-logs']),
  isIn: ({ args }) => Array.isArray(args) && args.includes('agent'),
  fromContainer: keySettings,
};

function checkKey(sources: ReadonlySet<string>, draft: Draft): void {
  if (['credentials.createSecret.apiKey', 'CRONITOR_API_KEY', '--apikey'].some((source) => sources.has(source))) return;
  const [name, key] = [sources.has('credentials.secretName'), sources.has('credentials.secretKey')];
  if (name !== key) {
    const source = `credentials.${name ? 'secretKey' : 'secretName'}`;
    draft.refuse(
      { source, value: undefined },
      name ? 'the key in that Secret' : 'the name of the Secret with that key',
    );
  } else if (!name) {
    const command = 'kubectl -n NEW-NAMESPACE create secret generic cronitor --from-literal=api-key=KEY';
    draft.todo('credentials', `they name no API key. Before the install: ${command}`);
  }
}

/** Where the container has its key from: a Secret of the old release, or one of the user's. */
function keySettings(container: KubeObject, deployment: string): Given[] {
  const entry = objectsAt(container, 'env').find((each) => each['name'] === 'CRONITOR_API_KEY') ?? {};
  const { name, key } = objectAt(objectAt(entry, 'valueFrom'), 'secretKeyRef');
  if (name === undefined) return [];
  if (name === `${deployment}-secret`) return [{ source: 'credentials.createSecret.apiKey', value: 'in that Secret' }];
  return [
    { source: 'credentials.secretName', value: name },
    { source: 'credentials.secretKey', value: key },
  ];
}
