import { type PlatformConfig, secretKeys } from '@tocsin/service';
import { z } from 'zod';

const count = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(min).max(max));

export const gatewayConfig = z
  .object({
    TOCSIN_SECRET: secretKeys,
    TOCSIN_PUBLIC_URL: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
    TOCSIN_ANSWER_MS: count(100, 30_000).default(5_000),
    TOCSIN_RATE_PER_SECOND: count(1, 1_000_000).default(1_000),
    TOCSIN_RATE_BURST: count(1, 1_000_000).default(5_000),
    TOCSIN_MAX_REQUESTS: count(1, 100_000).default(512),
    TOCSIN_MAX_STREAMS: count(0, 100_000).default(500),
  })
  .transform((env) => ({
    secret: env.TOCSIN_SECRET,
    /** Where people reach the gateway; without it, addresses in answers are relative. */
    publicUrl: env.TOCSIN_PUBLIC_URL,
    /** How long a request waits for its owner when the caller does not say. */
    answerMs: env.TOCSIN_ANSWER_MS,
    /** Requests per second and token, and how many may come at once. */
    ratePerSecond: env.TOCSIN_RATE_PER_SECOND,
    rateBurst: env.TOCSIN_RATE_BURST,
    /** Requests at a time; more are refused at once. */
    maxRequests: env.TOCSIN_MAX_REQUESTS,
    /** Event streams at a time. */
    maxStreams: env.TOCSIN_MAX_STREAMS,
  }));

export type GatewayConfig = z.output<typeof gatewayConfig> & Omit<PlatformConfig, 'secret'>;
