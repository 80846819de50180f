import { expect, test } from 'vitest';
import { KINDS, plansOf, readerOf } from './kinds.ts';
import type { Kind } from './observation.ts';
import type { Plan } from './plan.ts';

const ALL = Object.keys(KINDS) as Kind[];
const readAny = readerOf(ALL);

/** What a field may have to be so that a reader asks for more. */
const SHAPES = ['map', 'list', true, 1, 'Always'] as const;
type Shapes = ReadonlyMap<string, (typeof SHAPES)[number]>;

/** The paths that the reader of a kind asks for when the object's fields have these shapes (text by default). */
function asked(apiVersion: string, kind: string, shapes: Shapes): Set<string> {
  const paths = new Set<string>();
  const answer = (path: string): unknown => {
    paths.add(path);
    const shape = shapes.get(path);
    return shape === 'map' ? map(`${path}.`) : shape === 'list' ? [map(`${path}.`)] : (shape ?? 'text');
  };
  const map = (prefix: string): Record<string, unknown> =>
    new Proxy<Record<string, unknown>>(
      {},
      {
        ownKeys: () => [],
        getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
        get: (_, field) => answer(`${prefix}${String(field)}`),
      },
    );
  const object = map('');
  readAny(
    new Proxy(object, {
      get: (_, field) =>
        field === 'apiVersion' ? apiVersion : field === 'kind' ? kind : Reflect.get(object, field, object),
    }),
  );
  return paths;
}

/** All that a reader can ask for: each field takes the shape that makes it ask for more. */
function everAsked(apiVersion: string, kind: string): Set<string> {
  let shapes: Shapes = new Map();
  const paths = asked(apiVersion, kind, shapes);
  for (const path of paths) {
    for (const shape of SHAPES) {
      const tried = new Map([...shapes, [path, shape]]);
      const more = asked(apiVersion, kind, tried);
      if ([...more].every((found) => paths.has(found))) continue;
      shapes = tried;
      for (const found of more) paths.add(found);
    }
  }
  return paths;
}

function isPlanned(plan: Plan, [field, ...rest]: readonly string[]): boolean {
  if (field === undefined) return true;
  if (typeof plan === 'function') return Boolean(plan([field, ...rest].join('.')));
  if (typeof plan !== 'object') return false;
  const inside = plan[field];
  return inside !== undefined && isPlanned(inside, rest);
}

test.each([...plansOf(ALL)])('the plan of %s has every field that its reader asks for', (kind, plan) => {
  const at = kind.lastIndexOf('/');
  const paths = everAsked(kind.slice(0, at), kind.slice(at + 1));
  expect([...paths]).toEqual(expect.arrayContaining(['metadata.uid', 'metadata.ownerReferences.uid']));
  expect([...paths].filter((path) => !isPlanned(plan, path.split('.')))).toEqual([]);
});

test('what a reader asks for is found behind lists, numbers and other fields', () => {
  expect(everAsked('v1', 'Pod')).toContain('status.containerStatuses.lastState.terminated.signal');
});
