import type { SecretKeys } from '@tocsin/core';
import { commaList, milliseconds, variable, wholeNumber } from '@tocsin/service';
import { z } from 'zod';

const rate = wholeNumber({ min: 1, max: 1_000_000 });

/** A token bucket: how many per second in the long run, and how many at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** What the edge reads from the environment. A service takes these among the fields of its own configuration. */
export const edgeVariables = {
  /** How long a request waits for its answer when the client does not say. */
  answerMs: variable('TOCSIN_ANSWER_MS', milliseconds(100, 30_000).default(5_000)),
  /** Requests per second and token, and how many may come at once. */
  tokenRate: {
    perSecond: variable('TOCSIN_RATE_PER_SECOND', rate.default(1_000)),
    burst: variable('TOCSIN_RATE_BURST', rate.default(5_000)),
  },
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
  trustedProxies: variable(
    'TOCSIN_TRUSTED_PROXIES',
    commaList
      .pipe(
        z.array(
          z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
            error: 'must be addresses or networks such as 10.0.0.0/8, separated by commas',
          }),
        ),
      )
      .default([]),
  ),
  /** Requests at a time. More at once are refused. */
  maxRequests: variable('TOCSIN_MAX_REQUESTS', wholeNumber({ min: 1, max: 100_000 }).default(512)),
};

/** The edge's part of a configuration. */
export interface EdgeConfig {
  answerMs: number;
  tokenRate: Rate;
  openRate: Rate;
  unknownRate: Rate;
  trustedProxies: readonly string[];
  maxRequests: number;
  /** What recognises a request that is sent again. */
  requestKeys: SecretKeys;
}
