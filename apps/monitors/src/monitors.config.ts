import { Sealing, type SecretKeys } from '@tocsin/core';
import {
  environment,
  openingKeys,
  type PlatformConfig,
  requireAll,
  sealingKey,
  secretKeys,
  variable,
  wholeNumber,
} from '@tocsin/service';
import { z } from 'zod';

const most = (max: number) => wholeNumber({ min: 1, max });

/** What `monitors` reads from the environment, beside the platform's part. */
export const monitorsConfig = environment({
  /** What seals the secrets of monitors, and of channels. */
  checksPublicKey: variable('TOCSIN_CHECKS_PUBLIC_KEY', sealingKey.optional()),
  channelsPublicKey: variable('TOCSIN_CHANNELS_PUBLIC_KEY', sealingKey.optional()),
  /** What opens them: given while a pair is changed, so that all is sealed for the new one. */
  checksKeys: variable('TOCSIN_CHECKS_KEY', openingKeys.optional()),
  channelsKeys: variable('TOCSIN_CHANNELS_KEY', openingKeys.optional()),
  /** What the secrets of API tokens follow from. */
  tokenKeys: variable('TOCSIN_TOKEN_KEY', secretKeys.optional()),
  /** The key of an earlier version: it opens what that one sealed, and stands in for the others while they are not given. */
  secret: variable('TOCSIN_SECRET', secretKeys.optional()),
  most: {
    monitors: variable('TOCSIN_MAX_MONITORS', most(1_000_000).default(100_000)),
    channels: variable('TOCSIN_MAX_CHANNELS', most(100_000).default(1_000)),
    tokens: variable('TOCSIN_MAX_TOKENS', most(100_000).default(1_000)),
  },
  /** The first admin token. Stored (hashed) at boot where no admin token exists. */
  bootstrapToken: variable(
    'TOCSIN_BOOTSTRAP_TOKEN',
    z
      .string()
      .regex(/^tsn_[A-Za-z0-9_-]{20,200}$/, 'must be tsn_ and 20 to 200 letters, digits, "-" or "_"')
      .optional(),
  ),
  /** How often CONFIG is compared with the record. */
  reconcileMs: variable('TOCSIN_RECONCILE_MS', most(3_600_000).default(60_000)),
})
  .superRefine((config, context) => {
    if (config.secret) return;
    requireAll(context, {
      TOCSIN_CHECKS_PUBLIC_KEY: config.checksPublicKey,
      TOCSIN_CHANNELS_PUBLIC_KEY: config.channelsPublicKey,
      TOCSIN_TOKEN_KEY: config.tokenKeys,
    });
  })
  .transform(({ checksPublicKey, channelsPublicKey, checksKeys, channelsKeys, tokenKeys, secret, ...config }) => ({
    ...config,
    sealing: {
      checks: new Sealing({ publicKey: checksPublicKey, privateKeys: checksKeys, secret }),
      channels: new Sealing({ publicKey: channelsPublicKey, privateKeys: channelsKeys, secret }),
    },
    tokenKeys: [...(tokenKeys ?? []), ...(secret ?? [])] as unknown as SecretKeys,
    /** Whether something may be sealed otherwise than it would be now. */
    reseals: checksPublicKey !== undefined || (secret?.length ?? 0) > 1,
  }));

export type MonitorsConfig = PlatformConfig & z.infer<typeof monitorsConfig>;
