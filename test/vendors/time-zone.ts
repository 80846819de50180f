const known = new Map<string, string | undefined>();

/** The zone that a name stands for, as ICU has it; undefined for none. Asked once of each: that takes longer than the rest of a request. */
export function timeZoneOf(name: string): string | undefined {
  if (!known.has(name)) known.set(name, resolved(name));
  return known.get(name);
}

function resolved(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
