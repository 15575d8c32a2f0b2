import { environment, milliseconds, variable, wholeNumber } from '@tocsin/service';
import type { z } from 'zod';

/** What `scheduler` reads from the environment, beside the platform's part. */
export const schedulerConfig = environment({
  /** Into how many shards monitors are divided. Every instance must have the same value; a change needs a restart of all. */
  shards: variable('TOCSIN_SHARDS', wholeNumber({ min: 1, max: 256 }).default(8)),
  /** How long a shard's holder may be silent before another instance takes over. */
  leaseTtlMs: variable('TOCSIN_LEASE_TTL_MS', milliseconds(500, 60_000).default(2_000)),
});
export type SchedulerConfig = z.infer<typeof schedulerConfig>;
