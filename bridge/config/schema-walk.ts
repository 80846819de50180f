import { z } from 'zod';

type Schema = z.core.$ZodType;

/** The schema that reads the value itself, without defaults, optionals and the second half of transforms. */
export function unwrap(schema: Schema): Schema {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  )
    return unwrap(schema.unwrap());
  return schema;
}

/** Like `unwrap`, and for a transform what it takes in. */
export function inputOf(schema: Schema): Schema {
  const inner = unwrap(schema);
  return inner instanceof z.ZodPipe ? inputOf(inner.in) : inner;
}

/** The schema of one key of a mapping or one entry of a list; undefined when there is none. */
export function child(schema: Schema, key: PropertyKey): Schema | undefined {
  const inner = inputOf(schema);
  if (inner instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, Schema>> = inner.shape;
    return Object.hasOwn(shape, key) ? shape[key] : undefined;
  }
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (inner instanceof z.ZodUnion) {
    const options: readonly Schema[] = inner.options;
    return options.map((option) => child(option, key)).find((found) => found !== undefined);
  }
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema at a path; undefined when the path leaves the schema. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const key of path) at = at === undefined ? undefined : child(at, key);
  return at;
}

/** Keys of a mapping with fixed keys; undefined for anything else. */
export function fixedKeys(schema: Schema): string[] | undefined {
  const inner = inputOf(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : undefined;
}

/** True where a value has keys of its own, so that a scalar there may hold what belongs below. */
export function isMapping(schema: Schema): boolean {
  const inner = inputOf(schema);
  return inner instanceof z.ZodObject || inner instanceof z.ZodRecord;
}
