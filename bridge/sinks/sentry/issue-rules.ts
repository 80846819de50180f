import type { IssuesConfig, IssueRule } from './config-issues.ts';
import { pattern } from './pattern.ts';
import type { Groups, Match } from './pattern.ts';

/** What of an event rules and filters look at. */
export interface Judged {
  readonly reason: string;
  readonly message: string;
  /** Of the object, and of its workload. */
  readonly kinds: readonly string[];
}

/** What a rule says of an event; the named groups of its pattern of messages. */
export interface Verdict {
  readonly rule: IssueRule;
  readonly groups: Groups;
}

interface Compiled {
  readonly rule: IssueRule;
  readonly reason: Match | undefined;
  readonly message: Match | undefined;
  readonly kind: Match | undefined;
}

interface Judge {
  readonly rules: readonly Compiled[];
  readonly reasons: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
}

/** Patterns are compiled once for a configuration. */
const JUDGES = new WeakMap<IssuesConfig, Judge>();

function judgeOf(config: IssuesConfig): Judge {
  const known = JUDGES.get(config);
  if (known !== undefined) return known;
  const compile = (source: string | undefined, how: 'whole' | 'find'): Match | undefined =>
    source === undefined ? undefined : pattern(source, how);
  const { reasons, moreReasons, sources } = config.filter;
  const judge = {
    rules: config.rules.map((rule) => ({
      rule,
      reason: compile(rule.reason, 'whole'),
      message: compile(rule.message, 'find'),
      kind: compile(rule.kind, 'whole'),
    })),
    reasons: new Set([...reasons, ...moreReasons].map(asCompared)),
    sources: new Set(sources.map(asCompared)),
  };
  JUDGES.set(config, judge);
  return judge;
}

function asCompared(text: string): string {
  return text.trim().toLowerCase();
}

/** The first rule that matches in all that it says. */
export function ruleFor(judged: Judged, config: IssuesConfig): Verdict | undefined {
  for (const { rule, reason, message, kind } of judgeOf(config).rules) {
    if (reason !== undefined && reason(judged.reason) === undefined) continue;
    if (kind !== undefined && !judged.kinds.some((one) => kind(one) !== undefined)) continue;
    const groups = message === undefined ? {} : message(judged.message);
    if (groups !== undefined) return { rule, groups };
  }
  return undefined;
}

/** Whether a reason or a source is left out; an empty one never is. */
export function isFiltered(reason: string, source: string, config: IssuesConfig): boolean {
  const { reasons, sources } = judgeOf(config);
  return reasons.has(asCompared(reason)) || sources.has(asCompared(source));
}

/** The fingerprint that a rule gives: its texts with what stands for something filled in. */
export function ruleFingerprint(
  { rule, groups }: Verdict,
  values: Groups,
  byDefault: readonly string[],
): readonly string[] | undefined {
  return rule.fingerprint?.flatMap((part) => {
    if (/^\{\{\s*default\s*\}\}$/.test(part)) return byDefault;
    return [part.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (all, name: string) => values[name] ?? groups[name] ?? all)];
  });
}
