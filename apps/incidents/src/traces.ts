import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { DecidedChange } from '@tocsin/core';
import { carryTrace, isSampled, traceOf } from '@tocsin/telemetry';
import type { KnownMonitor } from './states/held-monitor.ts';

/**
 * A span for a change, in the trace of the result that caused it, linked to the batch that folded it; and the headers
 * that carry the trace on. Where the check itself was not sampled the change begins a trace of its own: transitions
 * are always traced.
 */
export function traceChange(
  headers: Record<string, string>,
  change: DecidedChange,
  monitor: KnownMonitor,
): Record<string, string> {
  const parent = traceOf(headers);
  const cause = trace.getSpanContext(parent);
  const batch = trace.getSpanContext(context.active());
  const sampled = isSampled(parent) === true;
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
  span.end();
  return carryTrace({}, trace.setSpan(at, span));
}
