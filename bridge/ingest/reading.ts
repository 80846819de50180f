import { keeping, schemaWith } from '../kubernetes/annotations.ts';
import { KINDS, readerOf } from '../kubernetes/kinds.ts';
import type { ReadObject, SchemaOf } from '../kubernetes/kinds.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import type { KeepsEvent } from '../kubernetes/kept-events.ts';
import { keepsEventsAbout } from '../kubernetes/kept-events.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Levels } from '../otlp/decode/levels.ts';
import { levelsOf } from '../otlp/decode/levels.ts';
import type { SinksConfig } from '../sinks/index.ts';
import { readAnnotations } from '../sinks/index.ts';

/** How objects are decoded and read: what of them is kept follows from the annotations that the sinks read. */
export interface Reading {
  readonly levels: Levels;
  readonly read: ReadObject<Kind>;
  /** Which Events are kept, of those that are read. */
  readonly keepsEvent: KeepsEvent;
  readonly schemaOf: SchemaOf;
}

/** `annotations`: what sinks read; a name that ends with / is every name below it. `kinds`: what is followed. */
export function readingWith(annotations: readonly string[], kinds: readonly Kind[] = ALWAYS): Reading {
  const keeps = keeping(annotations);
  // Asked for at every record: to hash the names each time would cost more than to read its metadata.
  const schemas = new Map<string, number>(
    Object.entries(KINDS).map(([kind, { schema }]) => [kind, schemaWith(schema, annotations)]),
  );
  return {
    levels: levelsOf(kinds, keeps),
    read: readerOf(kinds, keeps),
    keepsEvent: keepsEventsAbout(kinds),
    schemaOf: (kind) => schemas.get(kind)!,
  };
}

/** With the annotations of every sink, configured or not: which one is, may change with any start. And with those that `sinks` names. */
export function readingOf(kinds: readonly Kind[], sinks?: SinksConfig): Reading {
  return readingWith(readAnnotations(sinks), kinds);
}

/** Of what is always followed. */
export const READING = readingOf(ALWAYS);
