import { openingKeys, secretKeys, targetLists, targetsEnvironment, type PlatformConfig } from '@tocsin/service';
import { durationMs, Sealing } from '@tocsin/core';
import { z } from 'zod';

const whole = (fallback: number, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .default(String(fallback))
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** It may hold a key, so what is wrong with it is said without it. */
const address = z.string().refine(isPlainHttp, 'must be an http:// or https:// address without a user name');

const period = z
  .string()
  .regex(/^\d+(s|m|h)$/, 'must be a time such as 60s or 5m')
  .default('60s')
  .transform(durationMs)
  .pipe(z.number().min(10_000, 'must be at least 10s').max(86_400_000, 'must be at most 24h'));

/** What `notifier` reads from the environment, beside the platform's part. */
export const notifierConfig = z
  .object({
    /** Opens the secrets of channels. */
    TOCSIN_CHANNELS_KEY: openingKeys.optional(),
    /** Opens those that an earlier version sealed. */
    TOCSIN_SECRET: secretKeys.optional(),
    ...targetsEnvironment,
    /** The wait after a first failed attempt; it doubles from there up to TOCSIN_RETRY_MAX_MS. */
    TOCSIN_RETRY_BASE_MS: whole(1_000, 10, 60_000),
    TOCSIN_RETRY_MAX_MS: whole(900_000, 10, 3_600_000),
    /** How long one notification is tried in all. */
    TOCSIN_RETRY_FOR_MS: whole(86_400_000, 1_000, 7 * 86_400_000),
    /** How many notifications this instance sends at a time, and how many of those to one channel. */
    TOCSIN_SENDS: whole(64, 1, 1_000),
    TOCSIN_SENDS_PER_CHANNEL: whole(8, 1, 100),
    /** How long one attempt may take. */
    TOCSIN_SEND_TIMEOUT_MS: whole(10_000, 100, 60_000),
    /** Called every TOCSIN_DEADMAN_EVERY while Tocsin is whole, by one instance: whoever listens there alarms on silence. */
    TOCSIN_DEADMAN_URL: address.optional(),
    TOCSIN_DEADMAN_EVERY: period,
  })
  .refine((env) => env.TOCSIN_CHANNELS_KEY ?? env.TOCSIN_SECRET, { error: 'is missing', path: ['TOCSIN_CHANNELS_KEY'] })
  .transform((env) => ({
    sealing: new Sealing({ privateKeys: env.TOCSIN_CHANNELS_KEY, secret: env.TOCSIN_SECRET }),
    targets: targetLists(env),
    retry: { baseMs: env.TOCSIN_RETRY_BASE_MS, maxMs: env.TOCSIN_RETRY_MAX_MS, forMs: env.TOCSIN_RETRY_FOR_MS },
    sends: env.TOCSIN_SENDS,
    sendsPerChannel: env.TOCSIN_SENDS_PER_CHANNEL,
    sendTimeoutMs: env.TOCSIN_SEND_TIMEOUT_MS,
    deadman:
      env.TOCSIN_DEADMAN_URL === undefined
        ? undefined
        : { url: env.TOCSIN_DEADMAN_URL, everyMs: env.TOCSIN_DEADMAN_EVERY },
  }));

export type NotifierConfig = PlatformConfig & z.infer<typeof notifierConfig>;

function isPlainHttp(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
