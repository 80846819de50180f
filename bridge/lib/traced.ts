import type { Attributes, SpanKind, Tracer } from '@opentelemetry/api';
import { SpanStatusCode } from '@opentelemetry/api';

/** What a span of the bridge itself says when its work is done; `errorType` makes it a failed one. */
export interface SpanEnd {
  readonly attributes: Attributes;
  readonly errorType?: string | undefined;
}

export interface SpanBegin {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
}

/** Runs `work` in a span that has no parent. Without a tracer it is only run. */
export function traced<T>(
  tracer: Tracer | undefined,
  name: string,
  begin: SpanBegin,
  work: () => Promise<T>,
  endOf: (result: T) => SpanEnd,
): Promise<T> {
  return tracer === undefined ? work() : inSpan(tracer, name, begin, work, endOf);
}

async function inSpan<T>(
  tracer: Tracer,
  name: string,
  begin: SpanBegin,
  work: () => Promise<T>,
  endOf: (result: T) => SpanEnd,
): Promise<T> {
  const span = tracer.startSpan(name, { ...begin, root: true });
  const fail = (type: string): void =>
    void span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR });
  try {
    const result = await work();
    if (span.isRecording()) {
      const { attributes, errorType } = endOf(result);
      span.setAttributes(attributes);
      if (errorType !== undefined) fail(errorType);
    }
    return result;
  } catch (error) {
    // Its message may hold what no span may: only the kind of error is reported.
    fail(error instanceof Error ? error.name : typeof error);
    throw error;
  } finally {
    span.end();
  }
}
