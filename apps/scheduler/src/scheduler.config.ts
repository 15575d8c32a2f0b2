import { z } from 'zod';

/** Settings of the scheduler, from the environment. */
export const schedulerConfig = z
  .object({
    /** Into how many shards monitors are divided. The same on every instance; changing it needs a restart of all. */
    TOCSIN_SHARDS: z.coerce.number().int().min(1).max(256).default(8),
    /** How long a shard's holder may be silent before another takes over, in milliseconds. */
    TOCSIN_LEASE_TTL_MS: z.coerce.number().int().min(500).max(60_000).default(2_000),
  })
  .transform((env) => ({ shards: env.TOCSIN_SHARDS, leaseTtlMs: env.TOCSIN_LEASE_TTL_MS }));
export type SchedulerConfig = z.infer<typeof schedulerConfig>;
