/**
 * What looks like a credential in the log of a program, each with what takes its place. Every pattern is linear in the
 * length of the text: none has two ways to match the same characters.
 */
const RULES: readonly (readonly [RegExp, string])[] = [
  // A key that is cut is a key.
  [/-----BEGIN ([A-Z ]{0,40})PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g, '[redacted]'],
  // Colours would come between a name and its value.
  // oxlint-disable-next-line no-control-regex
  [/\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g, ''],
  // oxlint-disable-next-line no-control-regex
  [/[\u0000-\u0008\u000B-\u001F\u007F]/g, ''],
  // scheme://user:password@host; also a token without a colon, such as a Sentry DSN.
  [/([a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/?#@"'<>]{1,500}@/gi, '$1[redacted]@'],
  [/\b(?:bearer|basic|negotiate|apikey)\s{1,3}[\w.~+/=-]{8,}/gi, '[redacted]'],
  // Tokens that tell by their beginning what they are.
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '[redacted]'],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|sk_live_|rk_live_|sk-|hvs\.|dop_v1_)[\w-]{10,}/g,
    '[redacted]',
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, '[redacted]'],
  [/\bAIza[\w-]{30,}/g, '[redacted]'],
];

/** The last word of a name that holds a secret: DB_PASSWORD, client-secret, "accessToken". */
const SECRET_NAME =
  '(?:pass(?:word|wd|phrase|code)?|secret|token|credentials?|api[_-]?key|(?:access|secret|private|encryption|signing|account|auth|master|session)[_-]?(?:key|id)|authorization|cookie|signature)';
/** Those that other words end with too: only after a separator. */
const SHORT_NAME = '(?:pwd|auth|sig|dsn|pin)';
const NAME = `(?<![a-z0-9])(?:[a-z0-9]{1,40}[_.-]){0,5}(?:[a-z0-9]{0,40}?${SECRET_NAME}|${SHORT_NAME})`;

/** name=value, name: value, "name": "value", --name value; up to the end of the quotes or the next space or comma. */
const ASSIGNED = new RegExp(
  String.raw`(${NAME}\\?["']?\s{0,3}(?:=>|[=:])\s{0,3}|(?<!\S)--${NAME}\s{1,3})(\\?"(?:[^"\\\n]|\\[^"\n])*\\?"?|'[^'\n]*'?|[^\s,;&"'}\])]+)`,
  'gi',
);

/** A log without what looks like a credential, colours and control characters. Errs on the side of too much. */
export function redactLog(text: string): string {
  const clean = RULES.reduce((text, [pattern, by]) => text.replaceAll(pattern, by), text);
  return clean.replaceAll(ASSIGNED, (_all, name: string, value: string) => {
    const quote = /^(\\?["'])/.exec(value)?.[1] ?? '';
    return value === '[redacted' || value.startsWith('[redacted]') ? name + value : `${name}${quote}[redacted]${quote}`;
  });
}
