/** At most `max` UTF-16 units, well-formed, and "…" for what is left out. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}

/** RFC 3339 as Sentry has it in contexts; undefined stays so. */
export function timeText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
