/** Tokens of a regular expression: an escape, a class, the head of a group, or one character. */
const TOKENS = /\\.|\[\^?(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!]|P?<[^>]*>|[a-zA-Z-]*[:)])?|[^]/gs;
const LEADING_FLAGS = /^\(\?([ims]+)\)$/;
const GROUP = /^\(\?(:|P?<[A-Za-z_]\w*>|[ims]*(-[ims]+)?:)$/;

/**
 * A search in pod names as cronitor-kubernetes has it (RE2, anywhere in the name). Throws an Error that says what is
 * wrong when the text is no regular expression, or one that RE2 refuses or reads in another way.
 */
export function podFilter(source: string): (podName: string) => boolean {
  const tokens = source.match(TOKENS) ?? [];
  const flags = LEADING_FLAGS.exec(tokens[0] ?? '')?.[1];
  const rest = flags === undefined ? tokens : tokens.slice(1);
  for (const token of rest) refuse(token);
  const expression = new RegExp(rest.map((token) => token.replace(/^\(\?P</, '(?<')).join(''), flags);
  return (podName) => expression.test(podName);
}

/** Throws for what RE2 has not, and for what JavaScript would read in another way. */
function refuse(token: string): void {
  if (/^\(\?<?[=!]/.test(token)) throw new Error(`${token} is look-around, which RE2 has not`);
  if (/^\\([1-9]|k)/.test(token)) throw new Error(`${token} is a back-reference, which RE2 has not`);
  if (token.startsWith('(?') && !GROUP.test(token)) throw new Error(`${token} is not known here`);
  if (/^\[\^?\]/.test(token) || /^\[.*\[:/s.test(token)) throw new Error(`${token} is not known here`);
  if (!/^[[\\]/.test(token)) return;
  const unknown = token.match(/\\./gs)?.find((escape) => /\\[A-Za-z0-9]/.test(escape) && !/\\[dDwWsSbB]/.test(escape));
  if (unknown !== undefined) throw new Error(`${unknown} is not known here`);
}
