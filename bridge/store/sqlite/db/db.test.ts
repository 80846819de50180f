import { afterEach, beforeEach, expect, it } from 'vitest';
import { Db } from './db.ts';

let db: Db;
beforeEach(() => {
  db = new Db(':memory:', false);
  db.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, of TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY)');
});
afterEach(() => db.close());

const add = (): number => db.run('INSERT INTO a (of) VALUES (?)', 'x');

it.each([
  ['written', () => add()],
  ['written by a statement that returns a row', () => db.get("INSERT INTO a (of) VALUES ('x') RETURNING id")],
  ['written by a statement that returns rows', () => db.all("INSERT INTO a (of) VALUES ('x'), ('y') RETURNING id")],
  ['written by a statement that was prepared before', () => add()],
  [
    'undone',
    () => {
      const undone = (): never => {
        throw new Error('undone');
      };
      expect(() => db.write(undone)).toThrow('undone');
    },
  ],
])('what was read of a table is not as it was once it is %s', (_how, write) => {
  add();
  const writes = db.writesOf(/\ba\b/);
  const before = writes();
  write();
  expect(writes()).not.toBe(before);
});

it.each([
  ['looked at', () => db.all('SELECT * FROM a')],
  ['written without a row that changes', () => db.all('DELETE FROM a WHERE id = 9 RETURNING id')],
  ['left out of what is written', () => db.run('INSERT INTO b (id) VALUES (1)')],
])('and is as it was while it is only %s', (_how, work) => {
  const writes = db.writesOf(/\ba\b/);
  const before = writes();
  work();
  expect(writes()).toBe(before);
});
