import { Sealing, type SecretKeys } from '@tocsin/core';
import { openingKeys, type PlatformConfig, sealingKey, secretKeys } from '@tocsin/service';
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
    /** What seals the secrets of monitors, and of channels. */
    TOCSIN_CHECKS_PUBLIC_KEY: sealingKey.optional(),
    TOCSIN_CHANNELS_PUBLIC_KEY: sealingKey.optional(),
    /** What opens them: given while a pair is changed, so that all is sealed for the new one. */
    TOCSIN_CHECKS_KEY: openingKeys.optional(),
    TOCSIN_CHANNELS_KEY: openingKeys.optional(),
    /** What the secrets of API tokens follow from. */
    TOCSIN_TOKEN_KEY: secretKeys.optional(),
    /** Of an earlier version: it opens what that one sealed, and stands in for the others while they are not given. */
    TOCSIN_SECRET: secretKeys.optional(),
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
  .superRefine((env, context) => {
    if (env.TOCSIN_SECRET) return;
    for (const name of ['TOCSIN_CHECKS_PUBLIC_KEY', 'TOCSIN_CHANNELS_PUBLIC_KEY', 'TOCSIN_TOKEN_KEY'] as const) {
      if (env[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is missing' });
    }
  })
  .transform((env) => ({
    sealing: {
      checks: new Sealing({
        publicKey: env.TOCSIN_CHECKS_PUBLIC_KEY,
        privateKeys: env.TOCSIN_CHECKS_KEY,
        secret: env.TOCSIN_SECRET,
      }),
      channels: new Sealing({
        publicKey: env.TOCSIN_CHANNELS_PUBLIC_KEY,
        privateKeys: env.TOCSIN_CHANNELS_KEY,
        secret: env.TOCSIN_SECRET,
      }),
    },
    tokenKeys: [...(env.TOCSIN_TOKEN_KEY ?? []), ...(env.TOCSIN_SECRET ?? [])] as unknown as SecretKeys,
    /** Whether something may be sealed otherwise than it would be now. */
    reseals: env.TOCSIN_CHECKS_PUBLIC_KEY !== undefined || (env.TOCSIN_SECRET?.length ?? 0) > 1,
    most: { monitors: env.TOCSIN_MAX_MONITORS, channels: env.TOCSIN_MAX_CHANNELS, tokens: env.TOCSIN_MAX_TOKENS },
    bootstrapToken: env.TOCSIN_BOOTSTRAP_TOKEN,
    reconcileMs: env.TOCSIN_RECONCILE_MS,
  }));

export type MonitorsConfig = PlatformConfig & z.infer<typeof monitorsConfig>;
