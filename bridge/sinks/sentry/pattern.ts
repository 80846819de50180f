import { RE2JS } from 're2js';

/** Named groups of a pattern, with what they matched. */
export type Groups = Readonly<Record<string, string>>;

export type Match = (text: string) => Groups | undefined;

/**
 * A pattern that takes time in proportion to the text: it runs inside the commit. Throws an Error that says what is wrong
 * with one that is not a regular expression of RE2.
 */
export function pattern(source: string, how: 'whole' | 'find'): Match {
  const compiled = RE2JS.compile(how === 'whole' ? `^(?:${source})$` : source);
  const names = Object.keys(compiled.namedGroups());
  return (text) => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return undefined;
    return Object.fromEntries(names.map((name) => [name, matcher.group(name) ?? '']));
  };
}
