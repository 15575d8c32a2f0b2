import { context, propagation, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';

/** Headers that can carry a trace: a record, as of HTTP or of an outbox row, or what NATS received. */
export type TraceHeaders =
  Readonly<Record<string, string | string[] | undefined>> | { get(name: string): string; keys(): string[] };

/** Headers to send: a record, or anything that sets one by name. */
export type SendableHeaders = Record<string, string> | { set(name: string, value: string): unknown };

const getter = {
  get: (headers: TraceHeaders, name: string) =>
    (hasMethod(headers, 'get') ? headers.get(name) : (headers as Record<string, string>)[name]) || undefined,
  keys: (headers: TraceHeaders) => (hasMethod(headers, 'keys') ? headers.keys() : Object.keys(headers)),
};

const setter = {
  set: (headers: SendableHeaders, name: string, value: string) => {
    if (hasMethod(headers, 'set')) headers.set(name, value);
    else (headers as Record<string, string>)[name] = value;
  },
};

/** The trace that a message or a request belongs to, by its headers; without one, a context in which a trace begins. */
export function traceOf(headers: TraceHeaders | undefined): Context {
  return headers ? propagation.extract(ROOT_CONTEXT, headers, getter) : ROOT_CONTEXT;
}

/** Runs `fn` in the trace that the headers carry. */
export function continueTrace<T>(headers: TraceHeaders | undefined, fn: () => T): T {
  return context.with(traceOf(headers), fn);
}

/** Adds the current trace, or that of `of`, to headers, in the format that OTEL_PROPAGATORS names; returns the headers. */
export function carryTrace<H extends SendableHeaders>(headers: H, of: Context = context.active()): H {
  propagation.inject(of, headers, setter);
  return headers;
}

/** Whether headers carry a trace already. */
export function carriesTrace(headers: TraceHeaders): boolean {
  return propagation.fields().some((name) => getter.get(headers, name) !== undefined);
}

/** What the trace of a context decided: `undefined` where there is no trace yet. */
export function isSampled(of: Context): boolean | undefined {
  const span = trace.getSpanContext(of);
  return span && (span.traceFlags & TraceFlags.SAMPLED) !== 0;
}

function hasMethod<M extends string>(headers: object, name: M): headers is Record<M, (...args: string[]) => never> {
  return typeof (headers as Record<string, unknown>)[name] === 'function';
}
