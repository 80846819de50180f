import * as fc from 'fast-check';
import type { Plan } from '../../bridge/kubernetes/plan.ts';
import { KINDS, plansOf } from '../../bridge/kubernetes/kinds.ts';
import type { Kind } from '../../bridge/kubernetes/observation.ts';
import { IDENTITY } from '../../bridge/kubernetes/plan.ts';

/** A value with its encoding's oddities decided by numbers, so that a failing case shrinks. */
export type Value = string | number | bigint | boolean | null | Uint8Array | Value[] | Entries;
/** The entries of a map in wire order: keys may repeat. */
export class Entries {
  readonly list: readonly (readonly [string, Value])[];
  constructor(list: readonly (readonly [string, Value])[]) {
    this.list = list;
  }
}

const TEXTS = [
  '',
  'x',
  'True',
  'Always',
  'ADDED',
  'Job',
  'batch/v1',
  '2026-11-21T15:23:00Z',
  'ü€😀',
  'a'.repeat(2_100),
];
const KEYS = ['', 'kind', 'object', 'type', 'metadata', 'status', 'name', 'uid', '__proto__', 'toString', 'f:x', '0'];

const scalar: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.boolean(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 9 }),
);

/** Any value that an AnyValue can hold. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 5 })), tie('value')), { maxLength: 5 })
      .map((list) => new Entries(list)),
  ),
})).value;

/** A value that mostly fits the plan, among fields that nobody reads. */
function planned(plan: Plan): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 12, arbitrary: fitting(plan) }, anyValue);
}

function fitting(plan: Plan): fc.Arbitrary<Value> {
  if (plan === 'scalar') return scalar;
  if (typeof plan === 'function') {
    const keys = [
      'app',
      '__proto__',
      'k8s.cronitor.io/key',
      'batch.kubernetes.io/job-completion-index',
      'other/secret',
    ];
    return entries(fc.tuple(fc.constantFrom(...keys), planned('scalar')));
  }
  const field = fc.oneof(
    ...Object.entries(plan).map(([key, inside]) => fc.tuple(fc.constant(key), planned(inside))),
    fc.tuple(fc.constantFrom(...KEYS), anyValue),
  );
  const map = entries(field);
  return fc.oneof(map, fc.array(map, { maxLength: 3 }));
}

function entries(entry: fc.Arbitrary<[string, Value]>): fc.Arbitrary<Entries> {
  return fc.array(entry, { maxLength: 14 }).map((list) => new Entries(list));
}

const ALL = Object.keys(KINDS) as Kind[];

/** An object of a kind that can be read or of another, whole or with something missing. */
const kubeObject: fc.Arbitrary<Entries> = fc
  .constantFrom<(readonly [string, Plan])[]>(...plansOf(ALL), ['v1/Secret', IDENTITY], ['apps/v1/Job', IDENTITY])
  .chain(([kind, plan]) => {
    const at = kind.lastIndexOf('/');
    const { metadata = 'scalar', kind: _, apiVersion: __, ...rest } = plan as Record<string, Plan>;
    const fields = Object.entries({ spec: 'scalar' as const, status: 'scalar' as const, ...rest });
    return fc.tuple(
      fc.constant<[string, Value][]>([
        ['apiVersion', kind.slice(0, at)],
        ['kind', kind.slice(at + 1)],
      ]),
      fitting(metadata),
      fc.array(fc.oneof(...fields.map(([field, inside]) => named(field, inside))), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...KEYS), anyValue), { maxLength: 1 }),
    );
  })
  .chain(([says, metadata, more, odd]) => {
    const needed = ['uid', 'name', 'resourceVersion'].map((key): [string, Value] => [key, key]);
    const inMetadata = new Entries([...(metadata instanceof Entries ? metadata.list : []), ...needed]);
    const all: [string, Value][] = [...says, ['metadata', inMetadata], ...more, ...odd];
    return fc.shuffledSubarray(all, { minLength: all.length - 1 });
  })
  .map((list) => new Entries(list));

function named(key: string, plan: Plan): fc.Arbitrary<[string, Value]> {
  return fc.tuple(fc.constant(key), planned(plan));
}

const watched: fc.Arbitrary<Value> = fc
  .tuple(
    fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'),
    fc.oneof({ weight: 9, arbitrary: kubeObject }, anyValue),
  )
  .map(([type, object]): [string, Value][] => [
    ['type', type],
    ['object', object],
  ])
  .chain((list) =>
    fc.tuple(
      fc.shuffledSubarray(list, { minLength: 2 }),
      fc.array(fc.tuple(fc.constantFrom(...KEYS), anyValue), { maxLength: 1 }),
    ),
  )
  .map(([list, odd]) => new Entries([...list, ...odd]));

export const body: fc.Arbitrary<Value> = fc.oneof(
  { weight: 6, arbitrary: watched },
  { weight: 2, arbitrary: kubeObject },
  anyValue,
);

/**
 * Writes protobuf in all the ways that a reader must take: fields in any order, unknown ones of every wire type, lengths
 * longer than need be, messages in parts, members of a oneof that a later one replaces. `odd(n)` gives a number below n;
 * always 0 is the plain way.
 */
export class OddWriter {
  readonly #odd: (below: number) => number;

  constructor(odd: (below: number) => number) {
    this.#odd = odd;
  }

  request(bodies: readonly Value[]): Uint8Array {
    const records = bodies.map((value) => {
      const time = [this.#fixed(1), this.#fixed(11)];
      return this.#field(2, this.#message([...this.#parts(5, this.#any(value)), ...time]));
    });
    const attribute = this.#field(1, this.#entry('k8s.cluster.name', 'prod'));
    const resource = this.#field(1, this.#message([attribute]));
    const logs = [this.#field(2, this.#message(records)), resource];
    return new Uint8Array(this.#message([this.#field(1, this.#message(logs, true))]));
  }

  /** The fields of an AnyValue, of which the last of the oneof counts. */
  #any(value: Value): Buffer[] {
    const fields = this.#member(value);
    const replaced =
      this.#odd(12) === 1 && fields.length > 0
        ? this.#member([7, new Entries([['kind', 'Job']]), 'old'][this.#odd(3)]!)
        : [];
    return [...replaced, ...(replaced.length > 0 && this.#odd(2) === 1 ? this.#member(true) : []), ...fields];
  }

  #member(value: Value): Buffer[] {
    if (value === null) return [];
    if (typeof value === 'string') return [this.#field(1, Buffer.from(value))];
    if (typeof value === 'boolean') return [Buffer.concat([this.#varint(2 << 3), this.#varint(Number(value))])];
    if (typeof value === 'bigint' || Number.isInteger(value)) {
      const bits = BigInt.asUintN(64, BigInt(value as number | bigint));
      return [Buffer.concat([this.#varint(3 << 3), this.#long(bits)])];
    }
    if (typeof value === 'number') {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return [Buffer.concat([this.#varint((4 << 3) | 1), bytes])];
    }
    if (value instanceof Uint8Array) return [this.#field(7, value)];
    if (value instanceof Entries)
      return this.#parts(
        6,
        value.list.map(([key, inside]) => this.#field(1, this.#entry(key, inside))),
      );
    return this.#parts(
      5,
      value.map((item) => this.#field(1, this.#message(this.#any(item)))),
    );
  }

  #entry(key: string, value: Value): Buffer {
    const keys = this.#odd(15) === 1 ? [this.#field(1, Buffer.from('old'))] : [];
    const [values, last] = [this.#parts(2, this.#any(value)), this.#field(1, Buffer.from(key))];
    const fields = this.#odd(4) === 1 ? [...values, ...keys, last] : [...keys, last, ...values];
    return this.#message(value === null && this.#odd(2) === 1 ? [...keys, last] : fields);
  }

  /** One message field, or several that a reader has to merge. */
  #parts(number: number, fields: readonly Buffer[]): Buffer[] {
    const at = this.#odd(10) === 1 ? this.#odd(fields.length + 1) : 0;
    const parts = at === 0 ? [fields] : [fields.slice(0, at), fields.slice(at)];
    return parts.map((part) => this.#field(number, this.#message(part)));
  }

  #message(fields: readonly Buffer[], anyOrder = false): Buffer {
    const all = anyOrder && this.#odd(2) === 1 ? fields.toReversed() : fields;
    return Buffer.concat(all.flatMap((field) => (this.#odd(20) === 1 ? [this.#unknown(), field] : [field])));
  }

  #field(number: number, content: Uint8Array): Buffer {
    return Buffer.concat([this.#varint((number << 3) | 2), this.#varint(content.length), content]);
  }

  #fixed(number: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(1_795_273_380_123_999_999n + BigInt(this.#odd(3_000_000)));
    return Buffer.concat([this.#varint((number << 3) | 1), bytes]);
  }

  /** A field that no message has, of any wire type. */
  #unknown(): Buffer {
    const number = [15, 99, 536_870_911][this.#odd(3)]!;
    const tag = (type: number): Buffer => this.#varint(((number << 3) | type) >>> 0);
    const kinds = [
      (): Buffer => Buffer.concat([tag(0), this.#long(2n ** 64n - 1n)]),
      (): Buffer => Buffer.concat([tag(1), Buffer.alloc(8, 0xff)]),
      (): Buffer => Buffer.concat([tag(2), this.#varint(3), Buffer.from([0xff, 0x0a, 0x7f])]),
      (): Buffer => Buffer.concat([tag(5), Buffer.alloc(4, 0xff)]),
      (): Buffer => Buffer.concat([tag(3), tag(3), tag(4), Buffer.from([0x0a, 1, 0xff]), tag(4)]),
      // A field that is known, of another type: unknown too.
      (): Buffer => Buffer.concat([this.#varint((1 << 3) | 5), Buffer.alloc(4)]),
      (): Buffer => Buffer.concat([this.#varint((6 << 3) | 0), this.#varint(5)]),
    ];
    return kinds[this.#odd(kinds.length)]!();
  }

  #varint(value: number): Buffer {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
    for (let longer = this.#odd(12) === 1 ? this.#odd(6 - bytes.length) : 0; longer > 0; longer--) {
      bytes[bytes.length - 1]! |= 128;
      bytes.push(0);
    }
    return Buffer.from(bytes);
  }

  #long(bits: bigint): Buffer {
    const bytes: number[] = [];
    let rest = bits;
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    return Buffer.from(bytes);
  }
}

/** Numbers below n from a seed; 0 gives only zeros: nothing odd. */
export function oddities(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    if (seed === 0) return 0;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return below < 1 ? 0 : (state >>> 8) % below;
  };
}
