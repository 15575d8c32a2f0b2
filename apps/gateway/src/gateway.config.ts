import { heartbeatKeysOf, Sealing, type SecretKeys } from '@tocsin/core';
import { edgeVariables } from '@tocsin/edge';
import {
  environment,
  type PlatformConfig,
  requireAll,
  sealingKey,
  secretKeys,
  variable,
  wholeNumber,
} from '@tocsin/service';
import { z } from 'zod';

/** What `gateway` reads from the environment, beside the platform's part. */
export const gatewayConfig = environment({
  /** What seals the secrets of monitors, and of channels. The gateway opens none. */
  checksKey: variable('TOCSIN_CHECKS_PUBLIC_KEY', sealingKey.optional()),
  channelsKey: variable('TOCSIN_CHANNELS_PUBLIC_KEY', sealingKey.optional()),
  /** What the keys of heartbeats are proven with. */
  heartbeatKeys: variable('TOCSIN_HEARTBEAT_KEY', secretKeys.optional()),
  /** What recognises repeated requests, and knows operations as their token's. */
  requestKeys: variable('TOCSIN_REQUEST_KEY', secretKeys.optional()),
  /** The key of an earlier version: it stands in for each of the others that is not given. */
  secret: variable('TOCSIN_SECRET', secretKeys.optional()),
  /** Where people reach the gateway. Without it, addresses in answers are relative. */
  publicUrl: variable(
    'TOCSIN_PUBLIC_URL',
    z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
  ),
  ...edgeVariables,
  /** Event streams at a time. */
  maxStreams: variable('TOCSIN_MAX_STREAMS', wholeNumber({ min: 0, max: 100_000 }).default(500)),
  /** Event streams at a time with one token. */
  maxStreamsPerToken: variable('TOCSIN_MAX_STREAMS_PER_TOKEN', wholeNumber({ min: 1, max: 100_000 }).default(100)),
})
  .superRefine((config, context) => {
    if (config.secret) return;
    requireAll(context, {
      TOCSIN_CHECKS_PUBLIC_KEY: config.checksKey,
      TOCSIN_CHANNELS_PUBLIC_KEY: config.channelsKey,
      TOCSIN_HEARTBEAT_KEY: config.heartbeatKeys,
      TOCSIN_REQUEST_KEY: config.requestKeys,
    });
  })
  .transform(({ checksKey, channelsKey, heartbeatKeys, requestKeys, secret, ...config }) => ({
    ...config,
    sealing: {
      checks: new Sealing({ publicKey: checksKey, secret }),
      channels: new Sealing({ publicKey: channelsKey, secret }),
    },
    heartbeatKeys: heartbeatKeys ?? heartbeatKeysOf(secret!),
    requestKeys: requestKeys ?? (secret as SecretKeys),
  }));

export type GatewayConfig = z.output<typeof gatewayConfig> & Omit<PlatformConfig, 'secret'>;
