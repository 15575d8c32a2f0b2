import { type Attributes, metrics, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { TocsinError } from '@tocsin/core';
import type { Pool } from './pool.ts';

/** Spans and metrics of one Database. Costs next to nothing when nobody records. */
export class Instruments {
  private readonly tracer = trace.getTracer('tocsin');
  private readonly seconds = metrics.getMeter('tocsin').createHistogram('tocsin_database_query_seconds', {
    description: 'Time of one statement, from sending it to its last row',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] },
  });

  constructor(private readonly namespace: string) {}

  /** Reports how many connections a pool has and how many callers wait for one. */
  watch(pool: Pool, server: 'primary' | 'replica'): void {
    const gauge = metrics.getMeter('tocsin').createObservableGauge('tocsin_database_connections', {
      description: 'Connections in use and idle, and callers waiting for one',
    });
    gauge.addCallback((result) => {
      const { inUse, idle, waiting } = pool.counts;
      result.observe(inUse, { server, use: 'in_use' });
      result.observe(idle, { server, use: 'idle' });
      result.observe(waiting, { server, use: 'waiting' });
    });
  }

  /** Starts a span if the caller's is recorded; queries outside any trace get none. */
  start(name: string, sql?: string): Span | undefined {
    if (trace.getActiveSpan()?.isRecording() !== true) return undefined;
    const attributes: Attributes = { 'db.system.name': 'postgresql', 'db.namespace': this.namespace };
    if (sql !== undefined) attributes['db.query.text'] = sql;
    return this.tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
  }

  /** Ends a statement's span and counts its time. `startedAt` is performance.now(). */
  finish(span: Span | undefined, statement: string, startedAt: number, error?: TocsinError): void {
    this.seconds.record((performance.now() - startedAt) / 1_000, { statement, outcome: error?.code ?? 'ok' });
    this.end(span, error);
  }

  /** Ends a span. A refused value or a lost race is an expected answer, no error of the span. */
  end(span: Span | undefined, error?: TocsinError): void {
    if (span === undefined) return;
    if (error !== undefined) {
      span.setAttribute('error.type', error.code);
      const state = error.details?.['sqlState'];
      if (typeof state === 'string') span.setAttribute('db.response.status_code', state);
      if (error.code !== 'invalid' && error.code !== 'conflict') {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
    }
    span.end();
  }
}
