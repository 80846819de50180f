import { isMap, isPair, isScalar, parseDocument } from 'yaml';
import type { Node, Pair, YAMLMap } from 'yaml';

/** A value of a values.yaml with the comment that a person wrote for it. */
export interface Value {
  readonly comment: string;
  readonly default: unknown;
  /** Keys of a mapping that has some; undefined for everything else. */
  readonly children: ReadonlyMap<string, Value> | undefined;
}

/** Reads a values.yaml. A comment belongs to the key below it or before it on its line; indented examples are not part of it. */
export function readValues(text: string): ReadonlyMap<string, Value> {
  const document = parseDocument(text);
  if (document.errors[0] !== undefined) throw document.errors[0];
  return isMap(document.contents) ? childrenOf(document.contents) : new Map();
}

function childrenOf(map: YAMLMap): ReadonlyMap<string, Value> {
  // The comment before the first key of a mapping is kept at the mapping itself.
  const first = map.commentBefore ?? '';
  const pairs = map.items.filter((item) => isPair(item));
  return new Map(pairs.map((pair, index) => [keyOf(pair), valueOf(pair, index === 0 ? first : '')]));
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function valueOf({ key, value }: Pair, first: string): Value {
  const node = value as Node;
  const before = isScalar(key) ? (key.commentBefore ?? '') : '';
  const comment = [first, before, node.comment ?? ''].map(sentence).filter(Boolean).join(' ');
  const filled = isMap(node) && node.items.length > 0 ? childrenOf(node) : undefined;
  return { comment, default: node.toJSON() as unknown, children: filled };
}

/** Its last paragraph. Lines that start with more than one space are examples in YAML. */
function sentence(comment: string): string {
  const paragraph = comment.split(/\n[ \t]*\n/).at(-1) ?? '';
  const lines = paragraph.split('\n').filter((line) => !/^ {2,}\S/.test(line));
  return lines.join(' ').replaceAll(/\s+/g, ' ').trim();
}
