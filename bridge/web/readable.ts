import { isSecretName } from '../config/marks.ts';

const MAX_CHARACTERS = 16_000;
const HIDDEN = '[redacted]';

/** Names under which objects of Kubernetes carry values that may be secret. */
const VALUE_NAMES = new Set(['env', 'data', 'stringData', 'binaryData', 'args', 'command']);
/** `name=value`, `name: value`, `Bearer value` and credentials in URLs, in what is no JSON. */
const PAIR =
  /\b([\w.-]*(?:token|password|passwd|secret|api[-_]?key|authorization|credential|dsn)[\w.-]*["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi;
const SCHEME = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;
const USERINFO = /:\/\/[^/@\s]+@/g;

/** Bytes that were put into quarantine, for a person: bounded, without what looks like a secret. */
export function readable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  const value = parse(text);
  const shown = value === undefined ? plain(printable(text)) : JSON.stringify(redacted(value), null, 2);
  return shown.length <= MAX_CHARACTERS ? shown : `${shown.slice(0, MAX_CHARACTERS)}…`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function redacted(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, inner]) => {
    const hidden = VALUE_NAMES.has(name) || (isSecretName(name) && typeof inner === 'string');
    return [name, hidden ? HIDDEN : redacted(inner)] as const;
  });
  return Object.fromEntries(entries);
}

function plain(text: string): string {
  return text.replaceAll(USERINFO, `://${HIDDEN}@`).replaceAll(SCHEME, `$1 ${HIDDEN}`).replaceAll(PAIR, `$1${HIDDEN}`);
}

/** Text within bytes that are none: runs of at least four characters, a line each. */
function printable(text: string): string {
  if (!/[^\P{Cc}\s]|\u{fffd}/u.test(text)) return text;
  return (text.match(/[\x20-\x7e\u00a0-\u{fffc}]{4,}/gu) ?? []).join('\n');
}
