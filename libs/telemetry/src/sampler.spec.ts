import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { RandomIdGenerator, SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { tocsinSampler } from './sampler.ts';

const ids = new RandomIdGenerator();

function keeps(sampler: Sampler, name: string, parentFlags?: TraceFlags): boolean {
  const traceId = ids.generateTraceId();
  const parent = { traceId, spanId: ids.generateSpanId(), traceFlags: parentFlags ?? 0, isRemote: true };
  const context = parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const { decision } = sampler.shouldSample(context, traceId, name, SpanKind.INTERNAL, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

const shareOf = (sampler: Sampler, name: string): number =>
  Array.from({ length: 4_000 }, () => keeps(sampler, name)).filter(Boolean).length / 4_000;

describe('tocsinSampler', () => {
  it('keeps traces of checks by ratio', () => {
    expect(shareOf(tocsinSampler(0.1), 'check http')).toBeGreaterThan(0.05);
    expect(shareOf(tocsinSampler(0.1), 'check http')).toBeLessThan(0.15);
    expect(shareOf(tocsinSampler(0), 'check http')).toBe(0);
  });

  it('keeps every other trace', () => {
    expect(shareOf(tocsinSampler(0), 'POST /v1/monitors')).toBe(1);
  });

  it("follows the parent's decision whatever the name", () => {
    expect(keeps(tocsinSampler(0), 'check http', TraceFlags.SAMPLED)).toBe(true);
    expect(keeps(tocsinSampler(1), 'POST /v1/monitors', TraceFlags.NONE)).toBe(false);
  });
});
