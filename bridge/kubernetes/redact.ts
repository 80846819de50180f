/**
 * Takes what looks like a credential out of a text that a person or a program wrote. The beginnings of tokens are those
 * that gitleaks knows. No library fits: what there is reads files, answers later or has patterns that backtrack.
 * Every pattern here is linear in the length of the text: each repetition is bounded or has one way to match.
 */
export const REDACTED = '[redacted]';

/** Texts without any of these hold nothing to replace: most are left after one look. */
const SUSPICIOUS =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]|pass|pwd|pw|pin|otp|secret|token|cred|key|auth|cookie|session|sig|dsn|jwt|conn|identified|login|mysql|mariadb|mongo|redis-cli|sqlcmd|webhook|hooks|cronitor|ping|[?&]code|\w@\w|ls0tls1c|:\/\/|@tcp|@unix|bearer|basic|negotiate|-u|user|private|eyj|gh[pousr]_|_pat_|gl[a-z]{1,6}-|npm_|xox|xapp|_live_|_test_|whsec_|hv[bsr]\.|_v1_|a[a-z0-9]{3}[a-z0-9]{16}|aiza|ya29|gocspx|sg\.|sk-|hf_|_oat_|shp|dapi|lin_|gls?[ac]_|nrak|pmak|pul-|rubygems|sntry|pypi|atatt|atctt|atlasv1|ntn_|sbp_|hrku|dp\.|q~|:aa/i;

/** Colours would come between a name and its value; what turns the direction of writing shows another text. */
const INVISIBLE: readonly RegExp[] = [
  // oxlint-disable-next-line no-control-regex
  /[\u001B\u009B](?:(?<=\u009B)[0-?]*[ -/]*[@-~]|\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B\n]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g,
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g,
];

/** The end of a name that holds a secret, whatever stands before it: DB_PASSWORD, client-secret, "accessToken". */
const LONG_NAME =
  '(?<!non-existent )(?:pass(?:words?|wort|wd|phrase|code)|secret|token|credentials?|creds|(?:api|app|access|secret|private|public|encryption|signing|account|auth|master|session|client|shared|storage|deploy|service|ssh|hmac|crypto|license|routing|integration|write)[_ -]?key|key[_-]?data|(?:access|secret|session)[_-]?(?:key[_-]?)?id|sess(?:ion)?id|connection[_ -]?string|webhook[_-]?url|signature|jwt)';
/** Those that other words end with too: only at the beginning or after a separator. */
const SHORT_NAME = '(?<![a-z0-9])(?:pass|pwd|pw|auth|sig|dsn|pin|otp|cred|bearer)';
const NAME = String.raw`(?:${LONG_NAME}|${SHORT_NAME})(?:(?:\d{1,3}|value|hash|text|string)(?![a-z0-9])|[_.-][a-z0-9]{1,20}){0,2}`;
/** A character that ends a value, unless the value goes on after it and no other name begins there. */
const INNER = String.raw`["',;&}\])](?![\w.-]{0,40}["']?[ \t]?[=:])(?=[\w!@#$%^*+/~-])`;
const PLAIN = String.raw`(?:\[redacted\]|[^\s,;&"'}\])\\]|\\(?!["'])|${INNER})+`;
/** A block of YAML, all its lines; or the only line below the name. */
const BLOCK = String.raw`(?:![\w-]{1,40}[ \t]+)?[|>][-+]?\r?\n(?<indent>[ \t]+)[^\n]+(?:\n\k<indent>[^\n]*)*|\r?\n[ \t]+(?![\w.-]{1,60}["']?:)(?![a-z]{1,14}(?:\s|$))["']?[^\s"',]+["']?`;
/** A list or an object, with those that it holds. */
const GROUP = String.raw`(?:\\?["'])?(?!\[redacted\])[\[{(]{1,3}(?:[^\[\]{}()\n]|[\[{(][^\[\]{}()\n]{0,500}[\]})]){0,2000}[\]})]{0,3}`;
const VALUE = String.raw`(?:${BLOCK}|\\"(?:[^"\\\n]|\\(?!"))*(?:\\"|$)?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|${GROUP}|${PLAIN})`;

/** name=value, name: value, "name": "value", name["…"] = value; up to the end of the quotes or of the word. */
const ASSIGNED = new RegExp(
  String.raw`(${NAME}\\?["'\]]{0,2}[ \t\u00A0]{0,20}(?:=>|:=|={1,2}|:|%3[AD]|[＝：])[ \t\u00A0]{0,20})(${VALUE})`,
  'gi',
);
/** "name": "DB_PASSWORD", "value": "…", as environments are written. */
const PAIR = new RegExp(
  String.raw`(\b(?:name|key)\\?["']?[ \t]{0,3}[=:][ \t]{0,3}\\?["']?[\w.-]{0,60}?${NAME}\\?["']?(?:,\s{0,40}|\s{1,40})\\?["']?value\\?["']?[ \t]{0,3}[=:][ \t]{0,3})(${VALUE})`,
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
/** auth.js:12:3 */
const FILE = /\.[a-z]{1,4}:$/i;
const LINE = /^\d{1,6}(?::\d{1,6})?$/;
/** "using password: YES" */
const SAYS_NOTHING = /^(?:yes|no|true|false|null|nil|none|undefined)$/i;

const RULES: readonly (readonly [RegExp, string])[] = [
  // A key that is cut is a key: to its end, or from the beginning of the text to its end.
  [
    /-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}(?:[^-]|-(?!----))*(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/g,
    REDACTED,
  ],
  [/^(?:[A-Za-z0-9+/=]{1,200}\s+)*-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g, REDACTED],
  // Headers: the scheme is part of the value, and a cookie has several.
  [
    /(?<![a-z0-9])((?:proxy-)?authorization\\?["']?[ \t]{0,3}[=:][ \t]{0,3}(?:\[(?!redacted\]))?\\?["']?)(?:(?:basic|bearer|token|digest|apikey|key|negotiate|ntlm|hmac|aws4-hmac-sha256)[ \t]+[^\s"'\\\]]+|(?![a-z]{1,20}(?![a-z0-9]))(?:\[redacted\]|[^\s"'\\\]])+)/gi,
    `$1${REDACTED}`,
  ],
  [
    /(\bset-cookie\\?["']?[ \t]{0,3}[=:][ \t]{0,3}(?:\[(?!redacted\]))?\\?["']?)(?:\[redacted\]|[^;\n"'\]])+/gi,
    `$1${REDACTED}`,
  ],
  [
    /((?<!set-)\bcookie\\?["']?[ \t]{0,3}[=:][ \t]{0,3}(?:\[(?!redacted\]))?\\?["']?)(?:\[redacted\]|[^\n"'\]])+/gi,
    `$1${REDACTED}`,
  ],
];

const TOKENS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(String.raw`(<(?!/)[^<>\s]{0,40}?${LONG_NAME}>)[^<\n]+`, 'gi'), `$1${REDACTED}`],
  [
    /((?:identified[ \t]+by|password(?:[ \t]+(?:is|was))?)[ \t]+)(['"])(?!\[redacted\])[^'"\n]*['"]?/gi,
    `$1$2${REDACTED}$2`,
  ],
  // In a sentence only what nobody would take for a word of it.
  [
    /(\bpassword(?:[ \t]+(?:is|was|for[ \t]+[^\s:]{1,60}:))?[ \t]{1,3})(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])[^\s"',;]{6,}/gi,
    `$1${REDACTED}`,
  ],
  [
    /(\b(?:[Tt]oken|TOKEN|[Kk]ey provided:?)[ \t]{1,3}["']?)(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])(?=[^\sA-Z]{0,60}[A-Z])[\w.~+/=-]{12,}/g,
    `$1${REDACTED}`,
  ],
  [
    /(\b(?:(?:login|sshpass|mysql\w{0,20}|mariadb\w{0,20}|mongo\w{0,20})\b[^\n|;&]{0,100}?[ \t]["']?-p|redis-cli\b[^\n|;&]{0,100}?[ \t]-a|sqlcmd\b[^\n|;&]{0,100}?[ \t]-P)(?:[ \t=]|["'],[ \t]?)?)["']?[^\s"']+/g,
    `$1${REDACTED}`,
  ],
  [/((?<!\S)(?:-u|--user|--proxy-user)[ \t=]{1,3}["']?)[^\s:"']{0,100}:[^\s"']+/g, `$1${REDACTED}`],
  // scheme://user:password@host; also a token without a colon, such as a Sentry DSN, and a password with a slash.
  [/(:\/\/)[^\s/?#"'<>]{1,2000}@/g, `$1${REDACTED}@`],
  [/(:\/\/)[^\s/?#@:"'<>]{0,200}:(?!\d{1,5}[/?#])[^\s"'<>]{1,200}@/g, `$1${REDACTED}@`],
  // user:password@tcp(host:3306), as Go's driver for MySQL has it.
  [/(?<![\w.-])[\w.-]{1,64}:[^\s"'<>]{1,200}@(?=(?:tcp|unix)\()/g, `${REDACTED}@`],
  // The same without a driver, as in the name of an image. A digest is not a host.
  [
    /(?<![\w.:/@-])(?!(?:mailto|serviceAccount|group|domain|principal|from|to|cc):)[\w.-]{1,64}:[^\s"'<>@/:]{3,200}@(?=[a-z][\w.-]{0,200}[./:])(?!sha\d{3}:)/gi,
    `${REDACTED}@`,
  ],
  [/([?&](?:key|code|ticket)=)(?!\[redacted\])[^\s&#"']{8,}/gi, `$1${REDACTED}`],
  [/(\bcronitor\.(?:io|link)\/(?:p|ping)\/)[\w-]+/gi, `$1${REDACTED}`],
  [/(\bhc-ping\.com\/)[\w-]{16,}/gi, `$1${REDACTED}`],
  [/(\boffice\.com\/webhook(?:b2)?\/)[^\s"'<>]+/gi, `$1${REDACTED}`],
  [/(\bevents\.pagerduty\.com\/(?:integration|x-ere|generic)\/)[^\s"'<>]+/gi, `$1${REDACTED}`],
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
  [/(?<!\d)\d{8,10}:AA[\w-]{30,}/g, REDACTED],
  // "-----BEGIN " in base64.
  [/\bLS0tLS1CRUdJTi[\w+/=-]+/g, REDACTED],
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
  const named = replaced(visible, RULES).replaceAll(PAIR, pairValue).replaceAll(ASSIGNED, assigned);
  return replaced(named.replaceAll(OPTION, optionValue), TOKENS);
}

const SECRET_NAME = new RegExp(`${NAME}$`, 'i');

/** Whether what stands under this name is a credential by that alone: `api-key`, `DB_PASSWORD`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A value that must stay as it is unless it holds a credential: a key or a name that people chose. */
export function redactValue(value: string): string {
  const clean = redact(value);
  return clean.includes(REDACTED) ? clean : value;
}

/**
 * An address that is read for what stands before its host, as in https://KEY:PASSWORD@HOST/1: that stays, a password does not,
 * and nothing stays of any other text.
 */
export function redactAddress(value: string): string {
  // What stands behind the host is a path, whatever it is made of; a question mark would begin what may be a secret again.
  const address = /^\s*(https?:\/\/\w{1,200})(?::\w{0,200})?(@[\w.:[\]%-]{1,300}\/[^?#@\s]{1,1000})\s*$/.exec(value);
  if (address !== null) return `${address[1]}${address[2]}`;
  return value.trim() === '' ? '' : REDACTED;
}

/** The name of an image without the user and password that was written before its registry; a tag may be any word. */
export function redactImage(image: string): string {
  return image.replace(/^((?:[a-z]{1,20}:\/\/)?)[^/@\s]+@(?!sha\d{3}:)/i, `$1${REDACTED}@`);
}

function replaced(text: string, rules: readonly (readonly [RegExp, string])[]): string {
  return rules.reduce((clean, [pattern, by]) => clean.replaceAll(pattern, by), text);
}

function assigned(all: string, name: string, value: string, _indent: string, at: number, text: string): string {
  const isProse = /[^=]:[ \t]+$/.test(name) && !ALWAYS.test(name) && goesOn(value, text, at + all.length);
  const isImage = name.endsWith(':') && TAG.test(value) && IMAGE.test(text.slice(Math.max(0, at - 60), at));
  const isPlace = LINE.test(value) && FILE.test(name);
  return isProse || isImage || isPlace || SAYS_NOTHING.test(value) ? all : name + hidden(value);
}

function pairValue(_all: string, name: string, value: string): string {
  return name + hidden(value);
}

function optionValue(all: string, name: string, value: string, _indent: string, at: number, text: string): string {
  return goesOn(value, text, at + all.length) ? all : name + hidden(value);
}

function goesOn(value: string, text: string, end: number): boolean {
  return PROSE.test(value) && MORE_PROSE.test(text.slice(end, end + 2));
}

function hidden(value: string): string {
  const quote = /^\\?["']/.exec(value)?.[0] ?? '';
  return quote + REDACTED + quote;
}
