import type { SecretKeys } from '@tocsin/core';

/** A token bucket: how many per second in the long run, and how many at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** What the edge reads of the configuration of its service. */
export interface EdgeConfig {
  /** How long a request waits for its answer when the client does not say, ms. */
  answerMs: number;
  /** Requests per second and token, and how many may come at once. */
  ratePerSecond: number;
  rateBurst: number;
  /** For one address: requests that need no token. */
  openRate: Rate;
  /** For one address: requests with a token that is not known. */
  unknownRate: Rate;
  /** Whose X-Forwarded-For is believed: addresses and networks. */
  trustedProxies: readonly string[];
  /** Requests at a time. More at once are refused. */
  maxRequests: number;
  /** What recognises a request that is sent again. */
  requestKeys: SecretKeys;
}
