import { array, assert, dictionary, jsonValue, nat, oneof, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { parseCut } from './cut-json.ts';

it.each([
  ['{"a":1,"b":"two three', { a: 1, b: 'two ' }],
  ['{"a":1,"b', { a: 1 }],
  ['{"a":1,"b":', { a: 1 }],
  ['{"a":1,"b":tr', { a: 1 }],
  ['{"a":["x",{"b":"\\u00', { a: ['x', { b: '' }] }],
  ['{"a":"x\\', { a: '' }],
  ['[', []],
  ['{"a":"]}","b":[1,', { a: ']}', b: [1] }],
  ['"text"', 'text'],
  ['"text', undefined],
  ['no JSON', undefined],
  ['{no JSON', {}],
])('%j is read as %j', (text, value) => expect(parseCut(text)).toEqual(value));

it('reads any list or mapping, however much of its end is missing', () => {
  assert(
    property(oneof(array(jsonValue()), dictionary(string(), jsonValue())), nat(), (value, at) => {
      const text = JSON.stringify(value);
      expect(parseCut(text)).toEqual(JSON.parse(text));
      expect(parseCut(text.slice(0, 1 + (at % text.length)))).toBeDefined();
    }),
  );
});
