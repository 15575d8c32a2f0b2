import { type Context, context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { MsgHdrs } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { carryTrace, isSampled, traceOf } from '@tocsin/telemetry';
import { HandBack } from '../consume/hand-back.ts';
import { OutgoingHeaders } from './headers.ts';

const tracer = trace.getTracer('tocsin.messaging');
const MAX_LINKS = 128;

/**
 * Runs `send` with headers that carry the current trace, inside a producer span if the current span is recorded. An
 * unrecorded trace still travels on, so that the next hop does not start one of its own.
 */
export async function producing<T>(
  name: string,
  destination: string,
  kind: SpanKind.PRODUCER | SpanKind.CLIENT,
  send: (headers: OutgoingHeaders) => Promise<T>,
): Promise<T> {
  const active = context.active();
  const headers = new OutgoingHeaders();
  const parent = trace.getSpan(active);
  if (!parent) return send(headers);
  if (!parent.isRecording()) return send(carryTrace(headers, active));
  const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': destination };
  const span = tracer.startSpan(name, { kind, attributes }, active);
  try {
    return await send(carryTrace(headers, trace.setSpan(active, span)));
  } catch (error) {
    failed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Runs the handler of one message inside a consumer (or server) span of the message's own trace. */
export async function consuming<T>(
  name: string,
  kind: SpanKind.CONSUMER | SpanKind.SERVER,
  headers: MsgHdrs | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const parent = traceOf(headers);
  if (isSampled(parent) === false) return context.with(parent, run);
  const span = tracer.startSpan(name, { kind, attributes: { 'messaging.system': 'nats' } }, parent);
  return spanned(span, trace.setSpan(parent, span), run);
}

/** Runs the handler of a batch inside one span that links to the trace of each of its messages. */
export async function consumingBatch<T>(
  name: string,
  batch: readonly (MsgHdrs | undefined)[],
  run: () => Promise<T>,
): Promise<T> {
  const links = [];
  for (const headers of batch) {
    const of = traceOf(headers);
    const linked = trace.getSpanContext(of);
    if (linked && isSampled(of) && links.length < MAX_LINKS) links.push({ context: linked });
  }
  // Nothing in it is traced: neither is the batch, or every batch of unsampled checks would start a trace of its own.
  if (links.length === 0) return run();
  const attributes = { 'messaging.system': 'nats', 'messaging.batch.message_count': batch.length };
  const span = tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links, root: true });
  return spanned(span, trace.setSpan(ROOT_CONTEXT, span), run);
}

async function spanned<T>(span: Span, ctx: Context, run: () => Promise<T>): Promise<T> {
  try {
    return await context.with(ctx, run);
  } catch (error) {
    failed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A refusal that the caller can expect is noted; only a defect makes the span an error. */
function failed(span: Span, error: unknown): void {
  if (error instanceof HandBack) return void span.setAttribute('tocsin.handed_back', error.reason);
  if (error instanceof TocsinError && error.code !== 'internal')
    return void span.setAttribute('tocsin.error.code', error.code);
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
}
