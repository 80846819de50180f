/** What a server, a proxy or `new URL` may take for more than a character of a segment, also after decoding it again. */
// oxlint-disable-next-line no-control-regex
const STRUCTURE = /[^\S ]|^ | $|[/\\?#%;[\]\u0000-\u001F\u007F-\u009F]|^\.*$/u;

/**
 * Whether a text can be one segment of a URL's path and nothing else: not empty, not only dots, no white space but
 * single spaces inside, no control characters, brackets and / \ ? # % ; in any of their widths.
 */
export function isSegment(text: string): boolean {
  return text.isWellFormed() && !STRUCTURE.test(text) && !STRUCTURE.test(text.normalize('NFKC'));
}

/** The segments as a path, encoded: `/a/b`. Undefined when one of them would make another path of it. */
export function pathOf(...segments: readonly string[]): string | undefined {
  return segments.every(isSegment) ? segments.map((part) => `/${encodeURIComponent(part)}`).join('') : undefined;
}
