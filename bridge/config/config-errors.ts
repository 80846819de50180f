import { z } from 'zod';

import { markOf } from '../lib/schema-meta.ts';
import { isSecretName } from '../lib/secret-names.ts';
import { child, fixedKeys, inputOf, isMapping, schemaAt, unwrap } from './schema-walk.ts';
import { entry } from './tree.ts';

/** One thing that is wrong with the configuration. None of its texts holds a secret. */
export interface Problem {
  readonly path: string;
  readonly given: string;
  /** What is allowed there. */
  readonly hint: string;
}

/** What zod found, as problems. `input` is the value that was parsed. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, input: unknown): Problem[] {
  return error.issues.flatMap((issue) => problems(issue, schema, input));
}

function problems(issue: z.core.$ZodIssue, schema: z.core.$ZodType, input: unknown): Problem[] {
  const at = schemaAt(schema, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const keys = (at && fixedKeys(at)) ?? [];
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      given: 'unknown key',
      hint: unknownKeyHint(key, keys),
    }));
  }
  const given = shown(issue.path.reduce(entry, input), issue.path, schema);
  if (issue.code === 'invalid_key') {
    const [why = issue] = issue.issues;
    return [{ path: pathText(issue.path), given: 'this name', hint: isEmpty(why) ? `allowed: ${TEXT}` : why.message }];
  }
  const allowed = at === undefined || issue.code === 'custom' ? undefined : allowedAt(at, issue);
  return [{ path: pathText(issue.path), given, hint: allowed === undefined ? issue.message : `allowed: ${allowed}` }];
}

/** What may stand at a node, in words; undefined when only the issue itself can say it. */
function allowedAt(schema: z.core.$ZodType, issue: z.core.$ZodIssue): string | undefined {
  const marked = markOf(unwrap(schema)).allowed ?? markOf(inputOf(schema)).allowed;
  if (marked !== undefined) return marked;
  if (issue.code === 'invalid_format')
    return issue.format === 'url' && issue.message === 'Invalid URL' ? URL_FORM : undefined;
  const inner = inputOf(schema);
  if (inner instanceof z.ZodEnum) return inner.options.join(', ');
  if (inner instanceof z.ZodBoolean) return 'true, false';
  if (inner instanceof z.ZodString || inner instanceof z.ZodStringFormat) return textAt(issue);
  if (inner instanceof z.ZodNumber) return numberOf(inner);
  if (inner instanceof z.ZodArray) return 'a list such as [a, b]';
  const keys = fixedKeys(inner);
  if (keys !== undefined) return `a mapping with the keys ${keys.join(', ')}`;
  return inner instanceof z.ZodRecord ? 'a mapping of names' : undefined;
}

const TEXT = 'text that is not empty';
const URL_FORM = 'an http or https URL';

const isEmpty = (issue: z.core.$ZodIssue): boolean => issue.code === 'too_small' && issue.minimum === 1;

function textAt(issue: z.core.$ZodIssue): string {
  if (isEmpty(issue)) return TEXT;
  return issue.code === 'too_big' ? `text of at most ${issue.maximum} characters` : 'text';
}

function numberOf({ isInt, minValue, maxValue }: z.ZodNumber): string {
  const bounds = [
    ...((minValue ?? -Infinity) > Number.MIN_SAFE_INTEGER ? [`from ${minValue}`] : []),
    ...((maxValue ?? Infinity) < Number.MAX_SAFE_INTEGER ? [`to ${maxValue}`] : []),
  ];
  return [isInt ? 'a whole number' : 'a number', ...bounds].join(' ');
}

function unknownKeyHint(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys);
  return `${near === undefined ? '' : `did you mean ${near}? `}allowed here: ${keys.join(', ')}`;
}

/** The most similar of `names` unless none is similar. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** A value in an error: a secret, or what stands where secrets may be nested, only by its type. */
function shown(value: unknown, path: readonly PropertyKey[], schema: z.core.$ZodType): string {
  if (value === undefined) return 'missing';
  const at = schemaAt(schema, path);
  if (isSecretPath(schema, path)) return '<redacted>';
  if (at === undefined || isMapping(at) || (value !== null && typeof value === 'object' && !Array.isArray(value)))
    return typeName(value);
  return withoutCredentials(JSON.stringify(value));
}

function isSecretPath(schema: z.core.$ZodType, path: readonly PropertyKey[]): boolean {
  let at: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    at = at && child(at, key);
    if (at === undefined ? isSecretName(String(key)) : isSecret(at, String(key))) return true;
  }
  return false;
}

/** True for a node that is marked as a secret, or whose name says so although the mark was forgotten. */
export function isSecret(schema: z.core.$ZodType, key: string): boolean {
  if (markOf(unwrap(schema)).secret === true || markOf(inputOf(schema)).secret === true) return true;
  return isSecretName(key) && !isMapping(schema);
}

/** Text without the user and password that a URL in it may carry. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s"]*@/g, '://<redacted>@');
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value !== null && typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

/** `a.b.c`; a segment that is not a plain word is quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => (/^[-\w]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key)))).join('.');
}
