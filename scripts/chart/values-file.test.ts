import { describe, expect, it } from 'vitest';
import { valuesSchema } from './json-schema.ts';
import { between, valuesTable } from './readme.ts';
import { readValues } from './values-file.ts';

const values = readValues(`# About this file.

# Where it goes.
#   example:
#     key: value
backend:
  # How.
  exporter: none # at first
  headers: {}
replicas: 1
list: [a]
on: true # not off
`);

describe('a values.yaml', () => {
  it('has its comments as descriptions, without examples', () => {
    expect(values.get('backend')?.children?.get('exporter')).toMatchObject({
      comment: 'How. at first',
      default: 'none',
    });
    expect(values.get('backend')?.comment).toBe('Where it goes.');
    expect(values.get('on')).toMatchObject({ comment: 'not off', default: true });
  });

  it('becomes a closed schema with the types of its defaults, unless a refinement says more', () => {
    const schema = valuesSchema(values, { 'backend.exporter': { enum: ['none', 'otlp'] } });
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: {
        backend: {
          type: 'object',
          additionalProperties: false,
          properties: { exporter: { type: 'string', enum: ['none', 'otlp'] }, headers: { type: 'object' } },
        },
        replicas: { type: 'integer' },
        list: { type: 'array' },
        on: { type: 'boolean' },
      },
    });
  });

  it('refuses a refinement of a value that is not there', () => {
    expect(() => valuesSchema(values, { 'backend.exportr': {} })).toThrow('backend.exportr');
  });

  it('becomes a table with a row for each value that can be set', () => {
    expect(valuesTable(values).split('\n').slice(2)).toEqual([
      '| `backend.exporter` | `none` | How. at first |',
      '| `backend.headers` | `{}` |  |',
      '| `replicas` | `1` |  |',
      '| `list` | `["a"]` |  |',
      '| `on` | `true` | not off |',
    ]);
  });
});

it('a generated part replaces what stands between its marks, and nothing else', () => {
  expect(between('a\n<!-- x -->\nold\n<!-- /x -->\nb\n', 'x', 'new')).toBe('a\n<!-- x -->\nnew\n<!-- /x -->\nb\n');
  expect(() => between('a', 'x', 'new')).toThrow('<!-- x -->');
});
