import { context, type Context, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import type { Change } from '@tocsin/core';
import type { KnownMonitor } from './states/held-monitor.ts';

/** The trace that a message came with. */
export function traceOf(headers: Record<string, string>): Context {
  return propagation.extract(ROOT_CONTEXT, headers);
}

/**
 * A span for a change, in the trace of the result that caused it, linked to the batch that folded it; and the headers
 * that carry the trace on. Where the check itself was not sampled the change begins a trace of its own: transitions
 * are always traced.
 */
export function traceChange(
  headers: Record<string, string>,
  change: Change,
  monitor: KnownMonitor,
): Record<string, string> {
  const parent = traceOf(headers);
  const cause = trace.getSpanContext(parent);
  const batch = trace.getSpanContext(context.active());
  const sampled = cause !== undefined && (cause.traceFlags & TraceFlags.SAMPLED) !== 0;
  const linked = [batch, sampled ? undefined : cause].filter((link) => link !== undefined);
  const name = change.kind === 'state' ? `state ${change.to}` : `incident ${change.kind}`;
  const attributes = {
    'tocsin.monitor.id': monitor.monitorId,
    'tocsin.reason': change.reason,
    ...(change.kind === 'state' ? {} : { 'tocsin.incident.id': change.incidentId }),
  };
  const at = sampled ? parent : ROOT_CONTEXT;
  const span = trace
    .getTracer('tocsin')
    .startSpan(name, { attributes, links: linked.map((link) => ({ context: link })) }, at);
  const carried: Record<string, string> = {};
  propagation.inject(trace.setSpan(at, span), carried);
  span.end();
  return carried;
}
