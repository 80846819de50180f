import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { manifestProblems, registryProblems } from './registry-check.ts';
import { standard } from './registry.ts';

const FOLDER = join(import.meta.dirname, '../registry');
const conventions = createRequire(import.meta.url).resolve('@opentelemetry/semantic-conventions');
const { version } = JSON.parse(readFileSync(join(dirname(conventions), '../package.json'), 'utf8')) as {
  version: string;
};
const read = (file: string): unknown => parse(readFileSync(join(FOLDER, file), 'utf8'));

const attribute = { id: 'shop.order', type: 'string', stability: 'development', brief: 'b', examples: ['1'] };
const defined = (change: object): object[] => [
  { id: 'registry.shop', type: 'attribute_group', brief: 'b', attributes: [{ ...attribute, ...change }] },
];
const span = {
  id: 'span.shop.sale',
  type: 'span',
  span_kind: 'server',
  brief: 'b',
  stability: 'development',
  attributes: [{ ref: 'shop.order', requirement_level: 'required' }],
};
const metric = {
  id: 'metric.shop.sales',
  type: 'metric',
  brief: 'b',
  stability: 'development',
  instrument: 'counter',
  unit: '1',
};
const sales = { ...metric, metric_name: 'shop.sales' };
const event = { id: 'event.shop.sold', type: 'event', brief: 'b', stability: 'development', name: 'shop.sold' };

describe('the registry of what the bridge sends', () => {
  it('has what Weaver asks of groups, attributes and names', () => {
    const files = readdirSync(FOLDER).filter((file) => file !== 'manifest.yaml');
    const contents = files.map((file) => read(file) as { groups: unknown[] });
    expect(contents.flatMap(Object.keys)).toEqual(files.map(() => 'groups'));
    expect(
      registryProblems(
        contents.flatMap(({ groups }) => groups),
        standard,
      ),
    ).toEqual([]);
  });

  it('depends on the release of the semantic conventions that the code imports', () => {
    expect(manifestProblems(read('manifest.yaml'), version)).toEqual([]);
  });
});

describe('a registry', () => {
  it('without a fault has no problem', () => {
    expect(registryProblems([...defined({}), span, sales, event], standard)).toEqual([]);
  });

  const level = (of: unknown): object => ({ ...span, attributes: [{ ref: 'error.type', requirement_level: of }] });
  it.each<[string, unknown[], string]>([
    ['a field that Weaver does not know', [{ ...event, span_kind: 'server' }], 'span_kind is not a field'],
    ['an unknown type of group', [{ ...event, type: 'log' }], 'type is log'],
    ['a group without a brief', [{ ...event, brief: '' }], 'brief is missing'],
    ['a group without stability', [{ ...event, stability: undefined }], 'stability is undefined'],
    ['a stability of old', [{ ...event, stability: 'experimental' }], 'stability is experimental'],
    ['a span without attributes', [{ ...span, attributes: [] }], 'it has no attributes'],
    ['attributes of a span that are empty in YAML', [{ ...span, attributes: null }], 'attributes are not a list'],
    ['a span of an unknown kind', [...defined({}), { ...span, span_kind: 'batch' }], 'span_kind is batch'],
    ['a metric without its unit', [{ ...sales, unit: undefined }], 'unit is missing'],
    ['a metric with an unknown instrument', [{ ...sales, instrument: 'summary' }], 'instrument is summary'],
    ['a metric with the id of another', [{ ...sales, metric_name: 'shop.sold' }], 'its id is not metric.shop.sold'],
    ['an event without a name', [{ ...event, name: undefined }], 'name is missing'],
    ['an id that two groups have', [event, event], 'two groups have the id event.shop.sold'],
    ['a reference to nothing', [span], 'shop.order: it is not defined'],
    [
      'a reference that stands twice',
      [...defined({}), { ...span, attributes: [...span.attributes, ...span.attributes] }],
      'refers to shop.order twice',
    ],
    [
      'an attribute that is defined in a span',
      [{ ...span, attributes: [attribute] }],
      'attributes are defined in a registry group only',
    ],
    ['a reference in a registry group', defined({ id: undefined, ref: 'error.type' }), 'refers to none'],
    ['an attribute that is defined twice', [...defined({}), ...defined({})], 'shop.order is defined twice'],
    [
      'an attribute of the semantic conventions',
      defined({ id: 'error.type' }),
      'error.type is one of the semantic conventions',
    ],
    [
      'an attribute that is a namespace',
      [...defined({}), ...defined({ id: 'shop' })],
      'shop is the namespace of shop.order',
    ],
    ['two attributes that are one label', defined({ id: 'error_type' }), 'error_type and error.type are one name'],
    ['a name with upper case', defined({ id: 'shop.orderId' }), 'shop.orderId is not lower case'],
    ['an unknown type of attribute', defined({ type: 'text' }), 'type is "text"'],
    ['an attribute without a brief', defined({ brief: undefined }), 'shop.order: brief is missing'],
    ['an attribute without stability', defined({ stability: undefined }), 'shop.order: stability is undefined'],
    ['a string without examples', defined({ examples: undefined }), 'a string has examples'],
    ['examples of another type', defined({ type: 'int', examples: [1.5] }), 'examples are not of type int'],
    ['an unknown level', [level('optional')], 'error.type: requirement_level is "optional"'],
    [
      'a condition that is not said',
      [level('conditionally_required')],
      'requirement_level is "conditionally_required"',
    ],
  ])('with %s is refused', (_, groups, problem) => {
    expect(registryProblems(groups, standard).join('\n')).toContain(problem);
  });

  it.each(['opt_in', { conditionally_required: 'When it failed.' }, { recommended: 'When it is cheap.' }])(
    'may ask for an attribute by %j',
    (one) => expect(registryProblems([level(one)], standard)).toEqual([]),
  );
});

describe('a manifest', () => {
  const good = read('manifest.yaml') as { dependencies: object[] };
  it.each<[string, unknown, string]>([
    ['that is empty', null, 'the manifest is not a mapping'],
    ['with a field of old', { ...good, semconv_version: '1.0.0' }, 'semconv_version is not a field'],
    [
      'with a URL without a version',
      { ...good, schema_url: 'https://shop.example/schemas/' },
      'is not http(s)://HOST/PATH/VERSION',
    ],
    ['without its dependency', { ...good, dependencies: [] }, 'the semantic conventions are the one dependency'],
    [
      'that pins another release',
      { ...good, dependencies: [{ ...good.dependencies[0], registry_path: 'x@v1.0.0[model]' }] },
      `the release that the code uses, ${version}`,
    ],
  ])('%s is refused', (_, manifest, problem) => {
    expect(manifestProblems(manifest, version).join('\n')).toContain(problem);
  });
});
