import { SpanStatusCode, trace, type Attributes, type Link, type Span, type SpanKind } from '@opentelemetry/api';
import { TocsinError, type ErrorCode } from '@tocsin/core';

export interface SpanSettings {
  kind?: SpanKind;
  attributes?: Attributes;
  links?: Link[];
  /** Begins a trace of its own, whatever is running now. */
  root?: boolean;
}

/** Outcomes that mean that something is broken; every other refusal is expected and is not an error of the span. */
const FAULTS: ReadonlySet<ErrorCode> = new Set(['internal', 'unavailable', 'deadline']);

/**
 * Runs `fn` in a span named `name` and returns what it returns. What it throws is thrown on; only a fault (not a refusal
 * such as `not_found`) marks the span as failed.
 */
export async function withSpan<T>(
  name: string,
  settings: SpanSettings,
  fn: (span: Span) => Promise<T> | T,
): Promise<T> {
  return trace.getTracer('tocsin').startActiveSpan(name, settings, async (span) => {
    try {
      return await fn(span);
    } catch (error) {
      markFailure(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

function markFailure(span: Span, error: unknown): void {
  if (error instanceof TocsinError) {
    span.setAttribute('tocsin.error', error.code);
    if (!FAULTS.has(error.code)) return;
  }
  const failure = error instanceof Error ? error : new Error(String(error));
  span.recordException(failure);
  span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
}
