import { isSecretName } from '../lib/secret-names.ts';
import { REDACTED, redact } from '../kubernetes/redact.ts';
import { parseCut } from './cut-json.ts';

const MAX_CHARACTERS = 16_000;
/** Bytes of an object within a string within an object: nothing nests deeper. */
const MAX_NESTED = 4;

/** Names under which objects of Kubernetes carry values that may be secret, or copies of all they carry. */
const VALUE_NAMES = [
  'env',
  'data',
  'stringData',
  'binaryData',
  'args',
  'command',
  'managedFields',
  'kubectl.kubernetes.io/last-applied-configuration',
];
const HIDDEN_NAMES = new Set(VALUE_NAMES);
/** Bytes that were put into quarantine, for a person: bounded, without what looks like a secret. */
export function readable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  const value = parseCut(text);
  const shown = value === undefined ? ofNoJson(text) : JSON.stringify(redacted(value, 0), null, 2);
  return shown.length <= MAX_CHARACTERS ? shown : `${shown.slice(0, MAX_CHARACTERS)}…`;
}

function redacted(value: unknown, nested: number): unknown {
  if (typeof value === 'string') return redactedText(value, nested);
  if (Array.isArray(value)) return value.map((item) => redacted(item, nested));
  if (value === null || typeof value !== 'object') return value;
  // The form of variables: {"name": "DB_PASSWORD", "value": "…"}
  const isVariable = 'name' in value && 'value' in value;
  const entries = Object.entries(value).map(([name, inner]) => {
    const isHidden = HIDDEN_NAMES.has(name) || isSecret(name, inner) || (isVariable && name === 'value');
    return [redact(name), isHidden ? REDACTED : redacted(inner, nested)] as const;
  });
  return Object.fromEntries(entries);
}

/** `password` and DB_PASSWORD, which the redactor knows as names of what follows them. */
function isSecret(name: string, value: unknown): boolean {
  return typeof value === 'string' && (isSecretName(name) || redact(`${name}=x1`).endsWith(REDACTED));
}

/** A string that is JSON itself, such as a copy of an object, is looked through as well. */
function redactedText(text: string, nested: number): string {
  const inner = nested < MAX_NESTED && /^\s*[{[]/.test(text) ? parseCut(text) : undefined;
  return inner === undefined ? redact(text) : JSON.stringify(redacted(inner, nested + 1));
}

/** A text, or the texts within bytes that are none, a line each. */
function ofNoJson(text: string): string {
  if (!/[^\P{Cc}\s]|\u{fffd}/u.test(text)) return redact(text);
  const texts = text.match(/[\x20-\x7e\u00a0-\u{fffc}]{4,}/gu) ?? [];
  return texts.map((line, index) => (isNamed(texts[index - 1]) ? REDACTED : redact(line))).join('\n');
}

/** In a decoded mapping the name stands before its value, with at most a character of lengths around it. */
function isNamed(before: string | undefined): boolean {
  const name = before?.trim() ?? '';
  return [name, name.slice(1), name.slice(0, -1)].some(
    (text) => text === 'value' || HIDDEN_NAMES.has(text) || isSecret(text, 'x'),
  );
}
