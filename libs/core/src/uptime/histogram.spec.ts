import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Histogram, histogramCount, latencyBucket, mergeHistogram, percentile } from './histogram.ts';

function histogramOf(values: readonly number[]): Histogram {
  const histogram: Histogram = {};
  for (const value of values) mergeHistogram(histogram, { [latencyBucket(value)]: 1 });
  return histogram;
}

const latencies = fc.array(fc.double({ min: 0.2, max: 290_000, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('latency histograms', () => {
  it('a percentile is right to about a twentieth', () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, q) => {
        const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1]!;
        const estimate = percentile(histogramOf(values), q)!;
        expect(Math.abs(estimate - exact) / exact).toBeLessThan(0.06);
      }),
    );
  });

  it('merging two is the same as counting all at once', () => {
    fc.assert(
      fc.property(latencies, latencies, (a, b) => {
        expect(mergeHistogram(histogramOf(a), histogramOf(b))).toEqual(histogramOf([...a, ...b]));
        expect(histogramCount(histogramOf(a))).toBe(a.length);
      }),
    );
  });

  it('nothing, zero, nonsense and the very long have a bucket; an empty one has no percentile', () => {
    expect([0, -1, Number.NaN].map(latencyBucket)).toEqual([0, 0, 0]);
    expect(latencyBucket(1e9)).toBe(latencyBucket(400_000));
    expect(percentile({}, 0.5)).toBeUndefined();
  });

  it('no percentile exceeds the largest latency seen', () => {
    expect(percentile(histogramOf([100]), 0.99, 100)).toBeLessThanOrEqual(100);
  });
});
