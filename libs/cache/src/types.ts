import type { Clock } from '@tocsin/core';

export interface CacheOptions {
  /** `redis://…`, `redis+sentinel://h1:p,h2:p/name`, or the same with `rediss` for TLS. */
  url: string;
  /** Certificates (PEM) of the authority that signed the servers' own, where it is not a public one. */
  ca?: string | undefined;
  /** Keeps the keys of one service apart from those of others. */
  namespace: string;
  /** Most entries in memory. Default 5 000. */
  maxItems?: number;
  /** Most characters of JSON in memory. Default 16 million. */
  maxSize?: number;
  clock?: Clock;
}

export interface GetOptions {
  /** How long a value is fresh, in ms (spread by ±10 %). */
  ttlMs: number;
  /** How long after that it may be served while it is being reloaded or its loader fails, in ms. */
  staleMs: number;
  /**
   * How long after that an old value is given at once while it is reloaded, in ms. Later the caller waits for a new one,
   * and gets the old one only if that fails. Default: `staleMs`.
   */
  graceMs?: number;
  /** At most 99. Must be the same at each call for a key. */
  tags?: readonly string[];
  /** Longest time of one load, in ms. Default 10 000. */
  timeoutMs?: number;
}

export interface Answer<T> {
  /** Plain JSON, shared and frozen: copy it before changing it. */
  value: T;
  /** Time since it was loaded, in ms. */
  ageMs: number;
  /** Older than its time to live: it is being reloaded, or its loader fails. */
  stale: boolean;
  /** Nobody knows whether it still holds: a reload failed, or it is past its grace (without one: past its time to live). */
  outdated: boolean;
}
