import { heartbeatKeysOf, Sealing, type SecretKeys } from '@tocsin/core';
import { type PlatformConfig, sealingKey, secretKeys } from '@tocsin/service';
import { z } from 'zod';

const count = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));

/** Addresses and networks, separated by commas. */
const networks = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
  )
  .pipe(
    z.array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
        error: 'must be addresses or networks such as 10.0.0.0/8, separated by commas',
      }),
    ),
  );

const OWN_KEYS = [
  'TOCSIN_CHECKS_PUBLIC_KEY',
  'TOCSIN_CHANNELS_PUBLIC_KEY',
  'TOCSIN_HEARTBEAT_KEY',
  'TOCSIN_REQUEST_KEY',
] as const;

export const gatewayConfig = z
  .object({
    /** What seals the secrets of monitors, and of channels. The gateway opens none. */
    TOCSIN_CHECKS_PUBLIC_KEY: sealingKey.optional(),
    TOCSIN_CHANNELS_PUBLIC_KEY: sealingKey.optional(),
    /** What the push keys of heartbeats are proven with. */
    TOCSIN_HEARTBEAT_KEY: secretKeys.optional(),
    /** What repeated requests are recognised by, and operations known as their token's. */
    TOCSIN_REQUEST_KEY: secretKeys.optional(),
    /** Of an earlier version: it stands in for each of the others that is not given. */
    TOCSIN_SECRET: secretKeys.optional(),
    TOCSIN_PUBLIC_URL: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
    TOCSIN_ANSWER_MS: count(100, 30_000).default(5_000),
    TOCSIN_RATE_PER_SECOND: count(1, 1_000_000).default(1_000),
    TOCSIN_RATE_BURST: count(1, 1_000_000).default(5_000),
    TOCSIN_OPEN_RATE_PER_SECOND: count(1, 1_000_000).default(1_000),
    TOCSIN_OPEN_RATE_BURST: count(1, 1_000_000).default(5_000),
    TOCSIN_UNKNOWN_RATE_PER_SECOND: count(1, 1_000_000).default(10),
    TOCSIN_UNKNOWN_RATE_BURST: count(1, 1_000_000).default(100),
    TOCSIN_TRUSTED_PROXIES: networks.default([]),
    TOCSIN_MAX_REQUESTS: count(1, 100_000).default(512),
    TOCSIN_MAX_STREAMS: count(0, 100_000).default(500),
    TOCSIN_MAX_STREAMS_PER_TOKEN: count(1, 100_000).default(100),
  })
  .superRefine((env, context) => {
    if (env.TOCSIN_SECRET) return;
    for (const name of OWN_KEYS) {
      if (env[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is missing' });
    }
  })
  .transform((env) => ({
    sealing: {
      checks: new Sealing({ publicKey: env.TOCSIN_CHECKS_PUBLIC_KEY, secret: env.TOCSIN_SECRET }),
      channels: new Sealing({ publicKey: env.TOCSIN_CHANNELS_PUBLIC_KEY, secret: env.TOCSIN_SECRET }),
    },
    heartbeatKeys: env.TOCSIN_HEARTBEAT_KEY ?? heartbeatKeysOf(env.TOCSIN_SECRET!),
    requestKeys: env.TOCSIN_REQUEST_KEY ?? (env.TOCSIN_SECRET as SecretKeys),
    /** Where people reach the gateway; without it, addresses in answers are relative. */
    publicUrl: env.TOCSIN_PUBLIC_URL,
    /** How long a request waits for its owner when the caller does not say. */
    answerMs: env.TOCSIN_ANSWER_MS,
    /** Requests per second and token, and how many may come at once. */
    ratePerSecond: env.TOCSIN_RATE_PER_SECOND,
    rateBurst: env.TOCSIN_RATE_BURST,
    /** The same for an address: of requests that need no token, and of tokens that are not known. */
    openRate: { perSecond: env.TOCSIN_OPEN_RATE_PER_SECOND, burst: env.TOCSIN_OPEN_RATE_BURST },
    unknownRate: { perSecond: env.TOCSIN_UNKNOWN_RATE_PER_SECOND, burst: env.TOCSIN_UNKNOWN_RATE_BURST },
    /** Whose X-Forwarded-For is believed. */
    trustedProxies: env.TOCSIN_TRUSTED_PROXIES,
    /** Requests at a time; more are refused at once. */
    maxRequests: env.TOCSIN_MAX_REQUESTS,
    /** Event streams at a time. */
    maxStreams: env.TOCSIN_MAX_STREAMS,
    /** Of these, with one token. */
    maxStreamsPerToken: env.TOCSIN_MAX_STREAMS_PER_TOKEN,
  }));

export type GatewayConfig = z.output<typeof gatewayConfig> & Omit<PlatformConfig, 'secret'>;
