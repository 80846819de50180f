import { ACCOUNT_RULES } from './account-rules.ts';
import { Draft, type Given, type OldPlace, type Rule } from './draft.ts';
import { WORKLOAD_RULES } from './workload-rules.ts';

/** Every value of the old chart, every variable and every flag of the old agent by its name there: the later wins. */
export const RULES: Readonly<Record<string, Rule>> = { ...ACCOUNT_RULES, ...WORKLOAD_RULES };

const ORDER = new Map(Object.keys(RULES).map((source, index) => [source, index]));

/** Our values, and what is to be said about the rest. */
export function translate(settings: readonly Given[], place: OldPlace): Draft {
  const draft = new Draft(place);
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
  const given = settings.filter(({ value }) => !isBlank(value));
  for (const each of given.toSorted((a, b) => position(a) - position(b))) {
    const rule = RULES[each.source];
    if (rule === undefined) draft.note(each.source, 'no value of the old chart: it had no effect there either');
    else if (each.value !== rule.standard) rule.translate(each, draft);
  }
  checkKey(new Set(given.map(({ source }) => source)), draft);
  return draft;
}

const position = ({ source }: Given): number => ORDER.get(source) ?? Infinity;

/** True for what the old agent and its chart took for "not set". */
function isBlank(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

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
