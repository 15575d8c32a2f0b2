import type { ApiOutcome } from './gateway-client.ts';

/** One request of the load, from its start to its end. */
export interface ApiRecord extends Pick<ApiOutcome, 'answer' | 'attempts' | 'tookMs' | 'stale' | 'status' | 'why'> {
  kind: string;
  startedAt: number;
}

/** What clients saw of the API. */
export interface ApiFigures {
  requests: number;
  ok: number;
  failed: number;
  refused: number;
  accepted: number;
  stale: number;
  /** Requests that needed more than one attempt. */
  retried: number;
  worstMs: number;
  medianMs: number;
  /** The first of those that failed or were refused. */
  samples: ApiRecord[];
}

const MOST_SAMPLES = 20;

/** The figures of some requests. */
export function apiFigures(seen: readonly ApiRecord[]): ApiFigures {
  const count = (which: (record: ApiRecord) => boolean) => seen.filter(which).length;
  const took = seen.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  return {
    requests: seen.length,
    ok: count(({ answer }) => answer === 'ok'),
    failed: count(({ answer }) => answer === 'failed'),
    refused: count(({ answer }) => answer === 'refused'),
    accepted: count(({ answer }) => answer === 'accepted'),
    stale: count(({ stale }) => stale),
    retried: count(({ attempts }) => attempts > 1),
    worstMs: Math.round(took.at(-1) ?? 0),
    medianMs: Math.round(took[Math.floor(took.length / 2)] ?? 0),
    samples: seen.filter(({ answer }) => answer === 'failed' || answer === 'refused').slice(0, MOST_SAMPLES),
  };
}
