import { secretKeys, type PlatformConfig } from '@tocsin/service';
import { z } from 'zod';

const bound = (fallback: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .default(String(fallback))
    .transform(Number)
    .pipe(z.number().min(1).max(max));

/** What `monitors` reads from the environment, beside the platform's part. */
export const monitorsConfig = z
  .object({
    /** Seals secrets and makes API tokens: this service does not run without it. */
    TOCSIN_SECRET: secretKeys,
    TOCSIN_MAX_MONITORS: bound(100_000, 1_000_000),
    TOCSIN_MAX_CHANNELS: bound(1_000, 100_000),
    TOCSIN_MAX_TOKENS: bound(1_000, 100_000),
    /** The first admin token. Stored (hashed) at boot where no admin token exists. */
    TOCSIN_BOOTSTRAP_TOKEN: z
      .string()
      .regex(/^tsn_[A-Za-z0-9_-]{20,200}$/, 'must be tsn_ and 20 to 200 letters, digits, "-" or "_"')
      .optional(),
    /** How often CONFIG is compared with the record. */
    TOCSIN_RECONCILE_MS: bound(60_000, 3_600_000),
  })
  .transform((env) => ({
    secret: env.TOCSIN_SECRET,
    most: { monitors: env.TOCSIN_MAX_MONITORS, channels: env.TOCSIN_MAX_CHANNELS, tokens: env.TOCSIN_MAX_TOKENS },
    bootstrapToken: env.TOCSIN_BOOTSTRAP_TOKEN,
    reconcileMs: env.TOCSIN_RECONCILE_MS,
  }));

export type MonitorsConfig = PlatformConfig & z.infer<typeof monitorsConfig>;
