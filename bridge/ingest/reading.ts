import { keeping, schemaWith } from '../kubernetes/annotations.ts';
import { KINDS, readerOf } from '../kubernetes/kinds.ts';
import type { ReadObject, SchemaOf } from '../kubernetes/kinds.ts';
import { FOLLOWED } from '../kubernetes/observation.ts';
import type { Levels } from '../otlp/decode/levels.ts';
import { levelsOf } from '../otlp/decode/levels.ts';
import { readAnnotations } from '../sinks/index.ts';

/** How objects are decoded and read: what of them is kept follows from the annotations that the sinks read. */
export interface Reading {
  readonly levels: Levels;
  readonly read: ReadObject<(typeof FOLLOWED)[number]>;
  readonly schemaOf: SchemaOf;
}

/** `annotations`: what sinks read; a name that ends with / is every name below it. */
export function readingWith(annotations: readonly string[]): Reading {
  const keeps = keeping(annotations);
  return {
    levels: levelsOf(FOLLOWED, keeps),
    read: readerOf(FOLLOWED, keeps),
    schemaOf: (kind) => schemaWith(KINDS[kind].schema, annotations),
  };
}

/** With the annotations of every sink, configured or not: which one is, may change with any start. */
export const READING = readingWith(readAnnotations());
