import { durationMs, Sealing } from '@tocsin/core';
import {
  environment,
  milliseconds,
  openingKeys,
  type PlatformConfig,
  requireAll,
  secretKeys,
  targetVariables,
  variable,
  wholeNumber,
} from '@tocsin/service';
import { z } from 'zod';

/** It may hold a key, so what is wrong with it is said without it. */
const address = z.string().refine(isPlainHttp, 'must be an http:// or https:// address without a user name');

const period = z
  .string()
  .regex(/^\d+(s|m|h)$/, 'must be a time such as 60s or 5m')
  .default('60s')
  .transform(durationMs)
  .pipe(z.number().min(10_000, 'must be at least 10s').max(86_400_000, 'must be at most 24h'));

/** What `notifier` reads from the environment, beside the platform's part. */
export const notifierConfig = environment({
  /** Opens the secrets of channels. */
  channelsKeys: variable('TOCSIN_CHANNELS_KEY', openingKeys.optional()),
  /** Opens those that an earlier version sealed. */
  secret: variable('TOCSIN_SECRET', secretKeys.optional()),
  targets: targetVariables,
  retry: {
    /** The wait after a first failed attempt. It doubles from there up to `maxMs`. */
    baseMs: variable('TOCSIN_RETRY_BASE_MS', milliseconds(10, 60_000).default(1_000)),
    maxMs: variable('TOCSIN_RETRY_MAX_MS', milliseconds(10, 3_600_000).default(900_000)),
    /** How long one notification is tried in all. */
    forMs: variable('TOCSIN_RETRY_FOR_MS', milliseconds(1_000, 7 * 86_400_000).default(86_400_000)),
  },
  /** How many notifications this instance sends at a time, and how many of those to one channel. */
  sends: variable('TOCSIN_SENDS', wholeNumber({ min: 1, max: 1_000 }).default(64)),
  sendsPerChannel: variable('TOCSIN_SENDS_PER_CHANNEL', wholeNumber({ min: 1, max: 100 }).default(8)),
  /** How long one attempt may take. */
  sendTimeoutMs: variable('TOCSIN_SEND_TIMEOUT_MS', milliseconds(100, 60_000).default(10_000)),
  /** The address that one instance calls every `everyMs` while Tocsin is healthy, so that its silence raises an alarm there. */
  deadman: {
    url: variable('TOCSIN_DEADMAN_URL', address.optional()),
    everyMs: variable('TOCSIN_DEADMAN_EVERY', period),
  },
})
  .superRefine((config, context) => {
    requireAll(context, { TOCSIN_CHANNELS_KEY: config.channelsKeys ?? config.secret });
  })
  .transform(({ channelsKeys, secret, deadman: { url, everyMs }, ...config }) => ({
    ...config,
    sealing: new Sealing({ privateKeys: channelsKeys, secret }),
    deadman: url === undefined ? undefined : { url, everyMs },
  }));

export type NotifierConfig = PlatformConfig & z.infer<typeof notifierConfig>;

function isPlainHttp(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
