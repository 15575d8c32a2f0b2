import { z } from 'zod';

export const statusConfig = z
  .object({
    /** How long after its loading an answer may be given while the database is away, in ms. */
    TOCSIN_STALE_MS: z
      .string()
      .regex(/^\d+$/, 'must be a whole number of milliseconds')
      .transform(Number)
      .pipe(z.number().min(0).max(86_400_000))
      .default(3_600_000),
  })
  .transform((env) => ({ staleMs: env.TOCSIN_STALE_MS }));
export type StatusConfig = z.infer<typeof statusConfig>;
