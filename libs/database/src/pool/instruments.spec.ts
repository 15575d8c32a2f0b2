import { type Context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { TocsinError } from '@tocsin/core';
import { afterEach, expect, it, vi } from 'vitest';
import { Instruments } from './instruments.ts';

afterEach(() => {
  vi.restoreAllMocks();
  trace.disable();
});

/** Makes the active span recorded or not, and returns what spans are started with. */
function record(recording: boolean): { started: unknown[]; statuses: unknown[] } {
  const [started, statuses]: unknown[][] = [[], []] as never;
  const span = {
    isRecording: () => recording,
    setStatus: (status: unknown) => statuses!.push(status),
    setAttribute: () => undefined,
    end: () => undefined,
  } as unknown as Span;
  vi.spyOn(trace, 'getActiveSpan').mockReturnValue(span);
  const startSpan = (name: string, options?: object, _context?: Context): Span => {
    started!.push({ name, ...options });
    return span;
  };
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as never });
  return { started: started!, statuses: statuses! };
}

it('starts no span where nobody records', () => {
  const { started } = record(false);
  expect(new Instruments('monitors').start('x', 'SELECT 1')).toBeUndefined();
  expect(started).toEqual([]);
});

it('says what was asked, without the values', () => {
  const { started } = record(true);
  new Instruments('monitors').start('monitor read', 'SELECT $1');
  expect(started).toMatchObject([
    {
      name: 'monitor read',
      attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'monitors', 'db.query.text': 'SELECT $1' },
    },
  ]);
});

it.each([
  ['conflict', []],
  ['invalid', []],
  ['unavailable', [{ code: SpanStatusCode.ERROR, message: 'm' }]],
] as const)('an answer %s is an error of the span only if nobody expects it', (code, expected) => {
  const { statuses } = record(true);
  const instruments = new Instruments('monitors');
  instruments.finish(instruments.start('x'), 'x', 0, new TocsinError(code, 'm'));
  expect(statuses).toEqual(expected);
});
