import { isTree } from '../../config/tree.ts';
import { parseDsn } from '../../sinks/sentry/dsn.ts';
import type { Draft, Given } from './draft.ts';

const HERE = 'sentry.default';
/** Under which the old chart keeps and looks for it. */
const OLD_KEY = 'sentry.dsn';
const REFERENCE = 'not taken over: its value is in another object (valueFrom); put it into a Secret';

/** A Secret of the user's, which outlives the old release. */
export function existingSecret({ source, value }: Given, draft: Draft): void {
  theirSecret(source, String(value), OLD_KEY, draft);
}

/** The DSN itself, or the Secret that has it. It is never printed. */
export function dsn({ source, value }: Given, draft: Draft): void {
  const { fullname } = draft.place;
  if (isTree(value)) {
    const { name, key } = isTree(value['secretKeyRef']) ? value['secretKeyRef'] : {};
    if (typeof name !== 'string' || typeof key !== 'string') draft.todo(source, REFERENCE);
    else if (name === fullname) ownSecret(source, copied(draft, name, key), draft);
    else theirSecret(source, name, key, draft);
    return;
  }
  // The old chart looks at its own only without another Secret.
  if (source === 'sentry.dsn' && draft.get(`${HERE}.existingSecret`) !== undefined) return;
  if (parseDsn(String(value).trim()) === undefined)
    return draft.refuse({ source, value: '(not shown)' }, 'https://PUBLIC_KEY@HOST/PROJECT_ID');
  ownSecret(source, source === 'sentry.dsn' && fullname ? copied(draft, fullname, OLD_KEY) : 'DSN', draft);
}

/** The old agent ran without one, and sent nothing. */
export function withoutDsn(draft: Draft): void {
  if (draft.get(`${HERE}.existingSecret`) !== undefined) return;
  draft.set(`${HERE}.existingSecret`, 'sentry', 'a Secret with the DSN');
  draft.set(`${HERE}.key`, 'dsn', '');
  const why = 'there is none, and without one the old agent sent nothing';
  draft.todo('SENTRY_DSN', `${why}. Before the install: ${command('DSN')}`);
}

function theirSecret(source: string, name: string, key: string, draft: Draft): void {
  draft.set(`${HERE}.existingSecret`, name, `from ${source}`);
  draft.set(`${HERE}.key`, key, '');
  const { namespace } = draft.place;
  const where = namespace === undefined ? 'the namespace of the old agent' : `namespace ${namespace}`;
  draft.todo(source, `that Secret is in ${where}: install there, or copy it into the namespace of the new release`);
}

function ownSecret(source: string, value: string, draft: Draft): void {
  draft.set(`${HERE}.existingSecret`, 'sentry', `made of ${source} as is said beside these values`);
  draft.set(`${HERE}.key`, 'dsn', '');
  draft.todo(source, `not taken over, it belongs into a Secret. Before the install: ${command(value)}`);
}

function copied({ place: { namespace } }: Draft, name: string, key: string): string {
  const scope = namespace === undefined ? '' : ` -n ${namespace}`;
  return `"$(kubectl${scope} get secret ${name} -o go-template='{{index .data "${key}" | base64decode}}')"`;
}

function command(value: string): string {
  return `kubectl -n NEW-NAMESPACE create secret generic sentry --from-literal=dsn=${value}`;
}
