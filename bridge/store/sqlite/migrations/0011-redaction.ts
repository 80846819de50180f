import type { Db } from '../db.ts';
import { redactBytes, redactJson, redactText } from '../redact-rows.ts';

/** Columns with texts that people and programs wrote, and how they hold them. */
const COLUMNS: readonly (readonly [table: string, columns: readonly string[], how: 'json' | 'text' | 'bytes'])[] = [
  ['objects', ['state'], 'json'],
  ['runs', ['run', 'memory'], 'json'],
  ['attempts', ['attempt'], 'json'],
  ['transitions', ['transition'], 'json'],
  ['decisions', ['detail'], 'text'],
  ['intents', ['payload'], 'json'],
  ['intents', ['detail', 'note'], 'text'],
  ['answers', ['detail'], 'text'],
  ['resends', ['was_detail'], 'text'],
  ['claims', ['wanted'], 'json'],
  ['desired', ['wanted'], 'json'],
  ['former_rows', ['wanted'], 'json'],
  ['desired', ['detail'], 'text'],
  ['annotation_problems', ['problems'], 'json'],
  ['annotation_problems', ['event_error'], 'text'],
  ['logs', ['detail'], 'text'],
  ['quarantine', ['error'], 'text'],
  // Facts of an object; what could not be decoded is kept as it came.
  ["quarantine WHERE reason = 'core_error'", ['bytes'], 'bytes'],
];

/**
 * Messages used to be kept as they were. What replaces them is written over their bytes, also in the write-ahead log. A
 * monitor's wanted state is another one now, which its next planning finds.
 */
export const redaction = {
  number: 11,
  oldestReader: 1,
  sql: '',
  work(db: Db): void {
    db.define('redacted_json', redactJson);
    db.define('redacted_text', redactText);
    db.define('redacted_bytes', redactBytes);
    db.exec('PRAGMA secure_delete = ON');
    for (const [table, columns, how] of COLUMNS) {
      const [name, where] = table.split(' WHERE ');
      for (const column of columns) {
        const clean = `redacted_${how}(${column})`;
        db.exec(`UPDATE ${name} SET ${column} = ${clean} WHERE ${where ?? 'true'} AND ${column} <> ${clean}`);
      }
    }
    db.exec('PRAGMA secure_delete = OFF');
  },
};
