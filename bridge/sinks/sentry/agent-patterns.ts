import { RE2JS } from 're2js';

/** What sentry-kubernetes takes for the same whatever else the message says; the source is a part of its fingerprints. */
const SOURCES = [
  String.raw`^Memory cgroup out of memory: Killed process (?P<process_id>\d+) \((?P<process_name>[^)]+)\).*`,
  '^Readiness probe failed:.*',
  String.raw`^0\/\d+ nodes are available:.*`,
  '^Liveness probe failed:.*',
  '(?i)^Exec lifecycle hook .* for Container "(?P<container_name>[^"]+)".*',
] as const;

const PATTERNS = SOURCES.map((source) => ({ source, pattern: RE2JS.compile(source) }));
/** Its names of captures that go into the fingerprint. */
const CAPTURES = ['process_name', 'container_name'] as const;

const COMBINED = '(combined from similar events):';

/** Source and captures of the first pattern that matches; undefined without any. */
export function agentPattern(message: string): readonly string[] | undefined {
  for (const { source, pattern } of PATTERNS) {
    const matcher = pattern.matcher(message);
    if (!matcher.find()) continue;
    const captures = CAPTURES.filter((name) => source.includes(`<${name}>`)).map((name) => matcher.group(name) ?? '');
    return [source, ...captures];
  }
  return undefined;
}

/** A message of an Event without what its recorder puts before it when there are many alike. */
export function uncombined(message: string): { readonly message: string; readonly isCombined: boolean } {
  if (!message.startsWith(COMBINED)) return { message, isCombined: false };
  return { message: message.slice(COMBINED.length).trim(), isCombined: true };
}
