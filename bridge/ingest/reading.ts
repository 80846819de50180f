import { keeping, schemaWith } from '../kubernetes/annotations.ts';
import { KINDS, readerOf } from '../kubernetes/kinds.ts';
import type { ReadObject } from '../kubernetes/kinds.ts';
import { FOLLOWED } from '../kubernetes/observation.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Levels } from '../otlp/levels.ts';
import { levelsOf } from '../otlp/levels.ts';

/** How objects are decoded and read: what of them is kept follows from the annotations that the sinks read. */
export interface Reading {
  readonly levels: Levels;
  readonly read: ReadObject<(typeof FOLLOWED)[number]>;
  readonly schemaOf: SchemaOf;
}

/** The facts schema of a kind: rows with another one are read again by the audit. */
export type SchemaOf = (kind: Kind) => number;

/** As each kind's own reader has it, with no annotation of a sink. */
export const ownSchema: SchemaOf = (kind) => KINDS[kind].schema;

/** `annotations`: what sinks read; a name that ends with / is every name below it. */
export function readingWith(annotations: readonly string[]): Reading {
  const keeps = keeping(annotations);
  return {
    levels: levelsOf(FOLLOWED, keeps),
    read: readerOf(FOLLOWED, keeps),
    schemaOf: (kind) => schemaWith(KINDS[kind].schema, annotations),
  };
}
