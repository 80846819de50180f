import { DecodeError } from './decode-error.ts';
import type { Levels, Said, Wanted } from './levels.ts';
import { Level, levelOfBody, levelOfObject, SAID } from './levels.ts';
import type { Wire } from './wire.ts';

/** Values inside values: a Pod has about 12 levels. */
const MAX_DEPTH = 100;
/** Values made per request. A Kubernetes object has one per ten bytes, so 64 MiB of them pass and a bomb does not. */
const MAX_VALUES = 8_000_000;

/** Tags of opentelemetry/proto/common/v1: field number << 3 | wire type. */
const STRING = (1 << 3) | 2;
const BOOL = 2 << 3;
const INT = 3 << 3;
const DOUBLE = (4 << 3) | 1;
const ARRAY = (5 << 3) | 2;
const KVLIST = (6 << 3) | 2;
const BYTES = (7 << 3) | 2;
const ITEM = (1 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

const NO_PARTS: readonly number[] = [];

/** A map that inherits nothing, so that no key is special; unlike `Object.create(null)` it is a fast object. */
const Fields = function () {} as unknown as new () => Record<string, unknown>;
Object.defineProperty(Fields, 'prototype', { value: Object.create(null) });

/**
 * Makes what is wanted of AnyValues and skips everything else by its length. Messages that come in parts are merged as
 * protobuf merges them: parts of a list or map follow each other, any other value replaces what was before.
 */
export class Walker {
  readonly #wire: Wire;
  readonly #levels: Levels;
  #valuesLeft = MAX_VALUES;
  /** A map came in parts, so the part that was looked at may not have shown its kind. */
  isInParts = false;
  // The entry that was read last: a KeyValue's ranges.
  #keyStart = 0;
  #keyStop = 0;
  #valueStart = 0;
  #valueStop = 0;
  /** Ranges of the value's parts before the last. */
  #parts: number[] | undefined;

  constructor(wire: Wire, levels: Levels) {
    this.#wire = wire;
    this.#levels = levels;
  }

  /** The AnyValue from `start` to `stop`, merged into what an earlier part made. */
  value(start: number, stop: number, wanted: Wanted, before: unknown = null, depth = 1): unknown {
    if (depth > MAX_DEPTH) throw new DecodeError(`values nested deeper than ${MAX_DEPTH}`);
    if (--this.#valuesLeft < 0) throw new DecodeError(`more than ${MAX_VALUES} values`, true);
    const wire = this.#wire;
    wire.pos = start;
    let value = before;
    while (wire.pos < stop) {
      const tag = wire.tag(stop);
      if (tag === STRING) value = this.#text(stop);
      else if (tag === KVLIST) value = this.#map(wire.stop(stop), wanted, value, depth);
      else if (tag === ARRAY) value = this.#list(wire.stop(stop), wanted, value, depth);
      else if (tag === INT) value = wire.integer(stop);
      else if (tag === BOOL) value = wire.boolean(stop);
      else if (tag === DOUBLE) value = wire.double(stop);
      else if (tag === BYTES) value = this.#bytes(stop);
      else wire.skip(tag, stop);
    }
    return value;
  }

  /** Reads the KeyValue up to `stop` and merges it into `into`, if it is wanted. */
  entry(stop: number, wanted: Wanted, into: Record<string, unknown>, depth = 1): void {
    this.#readEntry(stop);
    const [start, end] = [this.#keyStart, this.#keyStop];
    if (wanted instanceof Level) {
      const slot = wanted.find(this.#wire.bytes, start, end);
      if (slot !== undefined) into[slot.key] = this.#entryValue(slot.wanted, depth);
    } else if (wanted === 'whole') {
      const key = this.#wire.text(start, end);
      into[key] = this.#entryValue('whole', depth);
    } else if (typeof wanted === 'function') {
      const key = this.#wire.text(start, end);
      if (wanted(key)) into[key] = this.#entryValue('scalar', depth);
    }
    this.#wire.pos = stop;
  }

  #text(end: number): string {
    const stop = this.#wire.stop(end);
    const start = this.#wire.pos;
    this.#wire.pos = stop;
    return this.#wire.text(start, stop);
  }

  #bytes(end: number): Uint8Array {
    const stop = this.#wire.stop(end);
    const start = this.#wire.pos;
    this.#wire.pos = stop;
    return new Uint8Array(this.#wire.bytes.subarray(start, stop));
  }

  #map(stop: number, wanted: Wanted, before: unknown, depth: number): Record<string, unknown> {
    const wire = this.#wire;
    const isPart = before instanceof Fields;
    const into = isPart ? before : new Fields();
    const inside = wanted === 'body' || wanted === 'object' ? this.#recognise(stop, wanted, isPart, depth) : wanted;
    if (inside === 'scalar') wire.pos = stop;
    while (wire.pos < stop) {
      const tag = wire.tag(stop);
      if (tag === ITEM) this.entry(wire.stop(stop), inside, into, depth + 1);
      else wire.skip(tag, stop);
    }
    return into;
  }

  #list(stop: number, wanted: Wanted, before: unknown, depth: number): unknown[] {
    const wire = this.#wire;
    const into: unknown[] = Array.isArray(before) ? before : [];
    if (wanted === 'scalar') wire.pos = stop;
    while (wire.pos < stop) {
      const tag = wire.tag(stop);
      if (tag === ITEM) {
        const end = wire.stop(stop);
        into.push(this.value(wire.pos, end, wanted, null, depth + 1));
      } else wire.skip(tag, stop);
    }
    return into;
  }

  /** Looks for the kind, wherever in the map it stands, before anything is made. */
  #recognise(stop: number, as: 'body' | 'object', isPart: boolean, depth: number): Wanted {
    if (isPart) this.isInParts = true;
    const wire = this.#wire;
    const start = wire.pos;
    const said: Said & Record<string, unknown> = new Fields();
    while (wire.pos < stop) {
      const tag = wire.tag(stop);
      if (tag === ITEM) this.entry(wire.stop(stop), SAID, said, depth + 1);
      else wire.skip(tag, stop);
    }
    wire.pos = start;
    return as === 'body' ? levelOfBody(this.#levels, said) : levelOfObject(this.#levels, said);
  }

  #readEntry(stop: number): void {
    const wire = this.#wire;
    this.#keyStart = this.#keyStop = 0;
    this.#valueStart = this.#valueStop = -1;
    this.#parts = undefined;
    while (wire.pos < stop) {
      const tag = wire.tag(stop);
      if (tag === KEY) {
        this.#keyStop = wire.stop(stop);
        this.#keyStart = wire.pos;
        wire.pos = this.#keyStop;
      } else if (tag === VALUE) {
        if (this.#valueStop >= 0) (this.#parts ??= []).push(this.#valueStart, this.#valueStop);
        this.#valueStop = wire.stop(stop);
        this.#valueStart = wire.pos;
        wire.pos = this.#valueStop;
      } else wire.skip(tag, stop);
    }
  }

  #entryValue(wanted: Wanted, depth: number): unknown {
    const [start, stop] = [this.#valueStart, this.#valueStop];
    const parts = this.#parts ?? NO_PARTS;
    let value: unknown = null;
    for (let part = 0; part < parts.length; part += 2) {
      value = this.value(parts[part]!, parts[part + 1]!, wanted, value, depth);
    }
    return stop < 0 ? value : this.value(start, stop, wanted, value, depth);
  }
}
