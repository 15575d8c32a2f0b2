export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

/** A random delay in [ms/2, ms), so that clients that failed together do not come back together. */
export function jitter(ms: number, random: () => number = Math.random): number {
  return ms / 2 + (random() * ms) / 2;
}

/**
 * The delay before the next try after `attempt` failed ones (1 = the first has failed): `baseMs` doubled each time,
 * at most `maxMs`, jittered.
 */
export function backoff(attempt: number, options: BackoffOptions, random: () => number = Math.random): number {
  const exponent = Math.min(30, Math.max(0, attempt - 1));
  return jitter(Math.min(options.maxMs, options.baseMs * 2 ** exponent), random);
}

/** A period for a loop, up to a fifth shorter or longer each time: instances that started together do not run together. */
export function spread(ms: number, random: () => number = Math.random): () => number {
  return () => ms * (0.8 + 0.4 * random());
}
