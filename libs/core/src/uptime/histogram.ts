/**
 * Latencies counted in fixed buckets, each a tenth wider than the one before, so that histograms of any two spans of
 * time can be added up and a percentile of the sum is right to about 5 %.
 */
export type Histogram = Record<string, number>;

const FIRST_MS = 0.1;
const STEP = 1.1;
const LOG_STEP = Math.log(STEP);
/** The last bucket begins at about five minutes, the longest timeout, and takes all above. */
const LAST = 158;

/** The bucket of a latency in ms. */
export function latencyBucket(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  return Math.min(LAST, 1 + Math.floor(Math.log(ms / FIRST_MS) / LOG_STEP));
}

/** Adds `from` to `into`, in place. */
export function mergeHistogram(into: Histogram, from: Histogram): Histogram {
  for (const bucket in from) into[bucket] = (into[bucket] ?? 0) + (from[bucket] ?? 0);
  return into;
}

/** How many latencies a histogram holds. */
export function histogramCount(histogram: Histogram): number {
  return Object.values(histogram).reduce((sum, value) => sum + value, 0);
}

/**
 * The latency in ms that a share `q` (0 to 1) of all latencies does not exceed: the middle of its bucket.
 * @param maxMs the largest latency seen; no percentile is larger
 * @returns undefined for an empty histogram
 */
export function percentile(histogram: Histogram, q: number, maxMs = Infinity): number | undefined {
  const total = histogramCount(histogram);
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const bucket of Object.keys(histogram)
    .map(Number)
    .toSorted((a, b) => a - b)) {
    seen += histogram[bucket] ?? 0;
    if (seen >= rank) return Math.min(maxMs, middleMs(bucket));
  }
  return maxMs;
}

function middleMs(bucket: number): number {
  if (bucket === 0) return FIRST_MS / 2;
  return FIRST_MS * STEP ** (bucket - 0.5);
}
