import { sha256Hex } from '../../lib/ids.ts';

/** 16 hex digits out of stable names: the same span has the same id, however often it is exported. */
export function spanIdOf(...names: readonly string[]): string {
  return sha256Hex(names.join('/')).slice(0, 16);
}

/** The span of a run as a whole, to which its logs belong. */
export function rootSpanId(traceId: string): string {
  return spanIdOf(traceId, 'run');
}

/** The span of one pod of a run. */
export function attemptSpanId(traceId: string, podUid: string): string {
  return spanIdOf(traceId, 'attempt', podUid);
}

/** The span of one run of a container, numbered by its restart count. */
export function containerSpanId(traceId: string, podUid: string, name: string, instance: number): string {
  return spanIdOf(traceId, 'container', podUid, name, String(instance));
}

/** Version 00 ends with its flags; later ones may have more, and there is no ff. */
const isVersion = (text: string): boolean => !text.startsWith('ff') && (!text.startsWith('00') || text.length === 55);

const ZERO = /^0*$/;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** The trace and span of a W3C `traceparent`; undefined for what is not a valid one. */
export function readTraceparent(
  text: string | undefined,
): { traceId: string; spanId: string; traceFlags: number } | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text?.trim() ?? '') ?? [];
  if (ZERO.test(traceId) || ZERO.test(spanId) || !isVersion(text!.trim())) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}
