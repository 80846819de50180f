import { Draft, type Given, type OldPlace, type Rule } from './draft.ts';
import type { OldTool } from './tool.ts';

/** Our values, and what is to be said about the rest. */
export function translate(tool: OldTool, settings: readonly Given[], place: OldPlace): Draft {
  const draft = new Draft(place);
  tool.begin(draft);
  const order = new Map(Object.keys(tool.rules).map((source, index) => [source, index]));
  const position = ({ source }: Given): number => order.get(source) ?? Infinity;
  const given = settings.filter(({ value }) => !isBlank(value));
  for (const each of given.toSorted((a, b) => position(a) - position(b))) {
    const rule = tool.rules[each.source] ?? prefixedRule(tool, each.source);
    if (rule === undefined) draft.note(each.source, 'no value of the old chart: it had no effect there either');
    else if (each.value !== rule.standard) rule.translate(each, draft);
  }
  tool.end?.(new Set(given.map(({ source }) => source)), draft);
  return draft;
}

function prefixedRule({ prefixed = {} }: OldTool, source: string): Rule | undefined {
  return Object.entries(prefixed).find(([prefix]) => source.startsWith(prefix))?.[1];
}

/** True for what the old agent and its chart took for "not set". */
function isBlank(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
