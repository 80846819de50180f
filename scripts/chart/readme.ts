import type { Value } from './values-file.ts';

/** The table of a values.yaml: one row for each value that can be set; `under` is the name of a part with its dot. */
export function valuesTable(values: ReadonlyMap<string, Value>, under = ''): string {
  const rows = [...values].flatMap(([key, value]) => rowsOf(`${under}${key}`, value, ''));
  return ['| Value | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** A mapping's comment stands at its first row that has none of its own. */
function rowsOf(path: string, value: Value, inherited: string): string[] {
  const comment = value.comment || inherited;
  if (value.children === undefined) return [`| \`${path}\` | ${code(value.default)} | ${cell(comment)} |`];
  return [...value.children].flatMap(([key, child], index) =>
    rowsOf(`${path}.${key}`, child, index === 0 ? comment : ''),
  );
}

function code(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === '""' || text === '{}' || text === '[]') return text === '""' ? '' : `\`${text}\``;
  return text.length > 60 ? 'see values.yaml' : `\`${cell(typeof value === 'string' ? value : text)}\``;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The text with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced. Throws when the marks are not there. */
export function between(text: string, name: string, content: string): string {
  const [before, rest] = text.split(`<!-- ${name} -->\n`);
  const after = rest?.split(`<!-- /${name} -->`)[1];
  if (before === undefined || after === undefined) throw new Error(`no <!-- ${name} --> … <!-- /${name} -->`);
  return `${before}<!-- ${name} -->\n${content}\n<!-- /${name} -->${after}`;
}
