import { Document, isScalar, YAMLMap } from 'yaml';
import { merge, nest, type Tree } from '../../config/tree.ts';
import type { Draft, Note } from './draft.ts';
import type { OldTool } from './tool.ts';

/** The values of our chart. */
export function valuesOf(draft: Draft): Tree {
  const settings = [...draft.settings.values()];
  return settings.reduce<Tree>((tree, { path, value }) => merge(tree, nest(path, value)), {});
}

/** The values as YAML, each with a comment on where it comes from. */
export function printValues({ name, doc }: OldTool, draft: Draft, origin: string): string {
  // Helm reads YAML 1.1: `no` and 12:30 need quotes.
  const document = new Document(valuesOf(draft), { schema: 'yaml-1.1' });
  const comments = new Map([...draft.settings].map(([path, { comment }]) => [path, comment]));
  comment(document.contents, '', comments);
  document.commentBefore = [
    ` Values of the chart lifecycle-bridge, made of ${origin}`,
    ` by "lifecycle-bridge migrate-from ${name}". The way from here: ${doc}.`,
  ].join('\n');
  return document.toString({ lineWidth: 120 }).trimEnd();
}

function comment(node: unknown, above: string, comments: ReadonlyMap<string, string>): void {
  if (!(node instanceof YAMLMap)) return;
  for (const { key, value } of node.items) {
    const path = `${above}${isScalar(key) ? String(key.value) : ''}`;
    const text = comments.get(path);
    if (isScalar(key) && text !== undefined && text !== '') key.commentBefore = ` ${text}`;
    comment(value, `${path}.`, comments);
  }
}

/** What is not in the values, a row each: first what a person has to do. */
export function printNotes(draft: Draft): string {
  const section = (title: string, notes: readonly Note[]): string[] =>
    notes.length === 0 ? [] : [title, ...notes.map(({ source, text }) => `  ${source}: ${text}`), ''];
  return [
    ...section(
      'To do:',
      draft.notes.filter(({ todo }) => todo),
    ),
    ...section(
      'Not in the values:',
      draft.notes.filter(({ todo }) => !todo),
    ),
  ].join('\n');
}
