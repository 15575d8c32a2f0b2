import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { carriesTrace, carryTrace, isSampled, traceOf } from './trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traced = (flags: string) => ({ traceparent: `00-${traceId}-b7ad6b7169203331-${flags}` });
/** As NATS and our own encoder have them. */
const asMap = (headers: Record<string, string>) => {
  const map = new Map(Object.entries(headers));
  return { get: (name: string) => map.get(name) ?? '', keys: () => [...map.keys()], set: map.set.bind(map), map };
};

beforeEach(() => void propagation.setGlobalPropagator(new W3CTraceContextPropagator()));
afterEach(() => propagation.disable());

it.each([
  ['a record', traced('01')],
  ['the headers of NATS', asMap(traced('01'))],
])('a trace in %s is read', (_, headers) => {
  expect(trace.getSpanContext(traceOf(headers))?.traceId).toBe(traceId);
  expect(carriesTrace(headers)).toBe(true);
});

it.each([
  ['no headers', undefined],
  ['a record without a trace', { 'content-type': 'text/plain' }],
  ['headers of NATS without a trace', asMap({})],
])('%s begin no trace and carry none', (_, headers) => {
  expect(trace.getSpanContext(traceOf(headers))).toBeUndefined();
  expect(headers !== undefined && carriesTrace(headers)).toBe(false);
});

it('a trace that is written is the one that is read', () => {
  const headers = asMap({});
  expect(carryTrace({}, traceOf(traced('01')))).toEqual(traced('01'));
  carryTrace(headers, traceOf(traced('01')));
  expect(Object.fromEntries(headers.map)).toEqual(traced('01'));
});

it('a trace knows whether it is sampled, and no trace does not', () => {
  expect([traced('01'), traced('00'), {}].map((headers) => isSampled(traceOf(headers)))).toEqual([
    true,
    false,
    undefined,
  ]);
});

it('without a propagator nothing is written', () => {
  propagation.disable();
  expect(
    carryTrace(
      {},
      trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 })),
    ),
  ).toEqual({});
});
