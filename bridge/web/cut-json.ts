const CLOSES: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/** The value of JSON, also of a list or mapping whose end was cut off: without what is not whole. Undefined for other texts. */
export function parseCut(text: string): unknown {
  return parse(text) ?? (/^\s*[{[]/.test(text) ? parseBeginning(text) : undefined);
}

function parseBeginning(text: string): unknown {
  const open: string[] = [];
  /** Where the last element ended, and what was open there. */
  let whole = { end: 0, open: '' };
  const mark = (end: number): void => void (whole = { end, open: open.toReversed().join('') });
  const tokens = /"(?:[^"\\]|\\.)*("?)|[{}[\],]/gs;
  /** Where a text began that does not end. */
  let start: number | undefined;
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token, quote] = found;
    if (token.startsWith('"')) start = quote === '' ? found.index : undefined;
    else if (token === ',') mark(found.index);
    else if (CLOSES[token] === undefined) open.pop();
    else {
      open.push(CLOSES[token]);
      mark(tokens.lastIndex);
    }
  }
  // Half a word may be half a credential, which is not recognised.
  const end = start === undefined ? text : `${text.slice(0, Math.max(start, text.lastIndexOf(' ')) + 1)}"`;
  return parse(end + open.toReversed().join('')) ?? parse(text.slice(0, whole.end) + whole.open);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
