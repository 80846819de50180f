/**
 * Takes what looks like a credential out of a text that a person or a program wrote. The beginnings of tokens are those
 * that gitleaks knows. No library fits: what there is reads files, answers later or has patterns that backtrack.
 * Every pattern here is linear in the length of the text: each repetition is bounded or has one way to match.
 */
export const REDACTED = '[redacted]';

/** Texts without any of these hold nothing to replace: most are left after one look. */
const SUSPICIOUS =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]|pass|pwd|pin|secret|token|cred|key|auth|cookie|sig|dsn|jwt|conn|identified|:\/\/|@tcp|@unix|bearer|basic|negotiate|-u|user|private|eyj|gh[pousr]_|_pat_|gl[a-z]{1,6}-|npm_|xox|xapp|_live_|_test_|whsec_|hv[bsr]\.|_v1_|a[a-z0-9]{3}[a-z0-9]{16}|aiza|ya29|gocspx|sg\.|sk-|hf_|_oat_|shp|dapi|lin_|gls?[ac]_|nrak|pmak|pul-|rubygems|sntry|pypi|atatt|atctt|atlasv1|ntn_|sbp_|hrku|dp\.|q~|:aa/i;

/** Colours would come between a name and its value; what turns the direction of writing shows another text. */
const INVISIBLE: readonly RegExp[] = [
  // oxlint-disable-next-line no-control-regex
  /[\u001B\u009B](?:(?<=\u009B)[0-?]*[ -/]*[@-~]|\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B\n]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g,
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g,
];

/** The end of a name that holds a secret, whatever stands before it: DB_PASSWORD, client-secret, "accessToken". */
const LONG_NAME =
  '(?:pass(?:word|wd|phrase|code)|secret|token|credentials?|creds|(?:api|app|access|secret|private|public|encryption|signing|account|auth|master|session|client|shared|storage|deploy|service|ssh|hmac|crypto|license)[_-]?key|key[_-]?data|(?:access|secret|session)[_-]?(?:key[_-]?)?id|connection[_-]?string|signature|jwt)';
/** Those that other words end with too: only at the beginning or after a separator. */
const SHORT_NAME = '(?<![a-z0-9])(?:pass|pwd|auth|sig|dsn|pin|otp|cred|bearer)';
const NAME = String.raw`(?:${LONG_NAME}|${SHORT_NAME})(?:\d{1,3}(?![a-z0-9])|[_.-][a-z0-9]{1,20}){0,2}`;
/** A character that ends a value, unless the value goes on after it and no other name begins there. */
const INNER = String.raw`["',;&}\])](?![\w.-]{0,40}["']?[ \t]?[=:])(?=[\w!@#$%^*+/~-])`;
const PLAIN = String.raw`(?:\[redacted\]|[^\s,;&"'}\])\\]|\\(?!["'])|${INNER})+`;
const VALUE = String.raw`(?:\\"(?:[^"\\\n]|\\(?!"))*(?:\\"|$)?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[|>][-+]?\n[ \t]+[^\n]+|${PLAIN})`;

/** name=value, name: value, "name": "value", name["…"] = value; up to the end of the quotes or of the word. */
const ASSIGNED = new RegExp(
  String.raw`(${NAME}\\?["'\]]{0,2}[ \t]{0,20}(?:=>|:=|={1,2}|:|%3[AD])[ \t]{0,20})(${VALUE})`,
  'gi',
);
/** --name value and "--name", "value". */
const OPTION = new RegExp(
  String.raw`((?<![\w-])--?(?:[a-z0-9]{1,40}[_-]){0,4}${NAME}(?:["'],[ \t]?|[ \t]{1,3}))(${VALUE})`,
  'gi',
);
/** A sentence goes on after the name, as in "failed to fetch oauth token: unexpected status". */
const PROSE = /^[a-z]{1,14}$/;
const MORE_PROSE = /^ [a-z(]/;
/** example.com/team/token:v1.2 */
const IMAGE = /\/[\w.-]*$/;
const TAG = /^(?:v?\d[\w.-]{0,40}|latest|main|stable)$/;
const ALWAYS = /pass|pwd/i;

const RULES: readonly (readonly [RegExp, string])[] = [
  // A key that is cut is a key: to its end, or from the beginning of the text to its end.
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/g,
    REDACTED,
  ],
  [/^(?:[A-Za-z0-9+/=]{1,200}\s+)*-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g, REDACTED],
  // Headers: the scheme is part of the value, and a cookie has several.
  [
    /(?<![a-z0-9])((?:proxy-)?authorization\\?["']?[ \t]{0,3}[=:][ \t]{0,3}\\?["']?)(?:(?:basic|bearer|token|digest|apikey|key|negotiate|ntlm|hmac|aws4-hmac-sha256)[ \t]+[^\s"'\\]+|(?![a-z]{1,20}(?![a-z0-9]))[^\s"'\\]+)/gi,
    `$1${REDACTED}`,
  ],
  [/(\bset-cookie\\?["']?[ \t]{0,3}[=:][ \t]{0,3}\\?["']?)[^;\n"']+/gi, `$1${REDACTED}`],
  [/((?<!set-)\bcookie\\?["']?[ \t]{0,3}[=:][ \t]{0,3}\\?["']?)[^\n"']+/gi, `$1${REDACTED}`],
];

const TOKENS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(String.raw`(<(?!/)[^<>\s]{0,40}?${LONG_NAME}>)[^<\n]+`, 'gi'), `$1${REDACTED}`],
  [/((?:identified[ \t]+by|password)[ \t]+)'[^'\n]*'?/gi, `$1'${REDACTED}'`],
  [/((?<!\S)(?:-u|--user|--proxy-user)[ \t=]{1,3}["']?)[^\s:"']{0,100}:[^\s"']+/g, `$1${REDACTED}`],
  // scheme://user:password@host; also a token without a colon, such as a Sentry DSN, and a password with a slash.
  [/(:\/\/)[^\s/?#"'<>]{1,2000}@/g, `$1${REDACTED}@`],
  [/(:\/\/)[^\s/?#@:"'<>]{0,200}:(?!\d{1,5}[/?#])[^\s"'<>]{1,200}@/g, `$1${REDACTED}@`],
  // user:password@tcp(host:3306), as Go's driver for MySQL has it.
  [/(?<![\w.-])[\w.-]{1,64}:[^\s"'<>]{1,200}@(?=(?:tcp|unix)\()/g, `${REDACTED}@`],
  [/(\bhooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/]+/gi, `$1${REDACTED}`],
  [/(\bdiscord(?:app)?\.com\/api\/webhooks\/)[\w/-]+/gi, `$1${REDACTED}`],
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC|[Nn]egotiate|NEGOTIATE|[Aa]pi[Kk]ey)[ \t]{1,3}(?![A-Z]?[a-z]{1,30}(?![\w~+/=-]))[\w.~+/=-]{8,}/g,
    REDACTED,
  ],
  // Tokens whose beginning says what they are.
  // With or without its dots: to look for them from each "eyJ" of a line of many would take their square.
  [/\beyJ[\w-]{8,}(?:\.[\w-]+(?:\.[\w-]*){0,3})?/g, REDACTED],
  [
    /\b(?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-|npm_|xox[a-z]-|xapp-|(?:sk|rk|pk)_(?:live|test)_|whsec_|hv[bsr]\.|do[opr]_v1_|ya29\.|GOCSPX-|SG\.|sk-(?:proj|ant|svcacct|admin|or)-|hf_|dckr_[po]at_|shp(?:at|ca|pa|ss)_|dapi|lin_api_|gl(?:c|sa)_|NRAK-|PMAK-|pul-|rubygems_|sntry[su]_|pypi-|AT[AC]TT3|ntn_|sbp_|HRKU-|dp\.(?:pt|st|ct|sa)\.|AGE-SECRET-KEY-)[\w.=-]{10,}/g,
    REDACTED,
  ],
  [/\bsk-[A-Za-z0-9]{20,}/g, REDACTED],
  [/\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\bAIza[\w-]{30,}/g, REDACTED],
  [/\b\d{8,10}:AA[\w-]{30,}/g, REDACTED],
  [/\b[\w.~-]{3}\dQ~[\w.~-]{30,}/g, REDACTED],
  [/\b\w{14}\.atlasv1\.[\w-]{40,}/g, REDACTED],
];

/**
 * A text without what looks like a credential, without colours, control characters and what turns the direction of
 * writing. Errs on the side of too much. Redacting twice is the same as once.
 */
export function redact(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  const visible = INVISIBLE.reduce((clean, pattern) => clean.replaceAll(pattern, ''), text);
  return replaced(replaced(visible, RULES).replaceAll(ASSIGNED, assigned).replaceAll(OPTION, optionValue), TOKENS);
}

/** A value that must stay as it is unless it holds a credential: a key or a name that people chose. */
export function redactValue(value: string): string {
  const clean = redact(value);
  return clean.includes(REDACTED) ? clean : value;
}

function replaced(text: string, rules: readonly (readonly [RegExp, string])[]): string {
  return rules.reduce((clean, [pattern, by]) => clean.replaceAll(pattern, by), text);
}

function assigned(all: string, name: string, value: string, at: number, text: string): string {
  const isProse = /[^=]:[ \t]+$/.test(name) && !ALWAYS.test(name) && goesOn(value, text, at + all.length);
  const isImage = name.endsWith(':') && TAG.test(value) && IMAGE.test(text.slice(Math.max(0, at - 60), at));
  return isProse || isImage ? all : name + hidden(value);
}

function optionValue(all: string, name: string, value: string, at: number, text: string): string {
  return goesOn(value, text, at + all.length) ? all : name + hidden(value);
}

function goesOn(value: string, text: string, end: number): boolean {
  return PROSE.test(value) && MORE_PROSE.test(text.slice(end, end + 2));
}

function hidden(value: string): string {
  const quote = /^\\?["']/.exec(value)?.[0] ?? '';
  return quote + REDACTED + quote;
}
