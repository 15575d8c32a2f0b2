import { heartbeatKeysOf, Sealing, type SecretKeys } from '@tocsin/core';
import {
  commaList,
  environment,
  milliseconds,
  type PlatformConfig,
  requireAll,
  sealingKey,
  secretKeys,
  variable,
  wholeNumber,
} from '@tocsin/service';
import { z } from 'zod';

const networks = commaList.pipe(
  z.array(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
      error: 'must be addresses or networks such as 10.0.0.0/8, separated by commas',
    }),
  ),
);
const rate = wholeNumber({ min: 1, max: 1_000_000 });
const limit = wholeNumber({ min: 1, max: 100_000 });

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
  /** How long a request waits for its owner when the client does not say. */
  answerMs: variable('TOCSIN_ANSWER_MS', milliseconds(100, 30_000).default(5_000)),
  /** Requests per second and token, and how many may come at once. */
  ratePerSecond: variable('TOCSIN_RATE_PER_SECOND', rate.default(1_000)),
  rateBurst: variable('TOCSIN_RATE_BURST', rate.default(5_000)),
  /** The same for one address: for requests that need no token. */
  openRate: {
    perSecond: variable('TOCSIN_OPEN_RATE_PER_SECOND', rate.default(1_000)),
    burst: variable('TOCSIN_OPEN_RATE_BURST', rate.default(5_000)),
  },
  /** The same for one address: for requests with a token that is not known. */
  unknownRate: {
    perSecond: variable('TOCSIN_UNKNOWN_RATE_PER_SECOND', rate.default(10)),
    burst: variable('TOCSIN_UNKNOWN_RATE_BURST', rate.default(100)),
  },
  /** Whose X-Forwarded-For is believed. */
  trustedProxies: variable('TOCSIN_TRUSTED_PROXIES', networks.default([])),
  /** Requests at a time. The gateway refuses more at once. */
  maxRequests: variable('TOCSIN_MAX_REQUESTS', limit.default(512)),
  /** Event streams at a time. */
  maxStreams: variable('TOCSIN_MAX_STREAMS', wholeNumber({ min: 0, max: 100_000 }).default(500)),
  /** Event streams at a time with one token. */
  maxStreamsPerToken: variable('TOCSIN_MAX_STREAMS_PER_TOKEN', limit.default(100)),
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
