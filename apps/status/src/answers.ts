import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type Answer, Cache, LastGood } from '@tocsin/cache';
import type { Aged } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { StatusConfig } from './status.config.ts';

/** What an event makes out of date; nothing that is over (history) is. */
export type Tag = 'states' | 'incidents' | 'notifications' | 'history';

export interface Kept {
  tag: Tag;
  ttlMs?: number;
  /** Longest time of one load; an older answer is given after it. Less than the request's own time. */
  loadMs?: number;
}

const TTL_MS = 2_000;
const LOAD_MS = 1_200;
/** `staleMs` is for an outage: in a healthy system an answer is no older than its time to live and this. */
const GRACE_MS = 5_000;

/** Answers kept for a moment, and for longer while the database is away. */
@Injectable()
export class Answers {
  private readonly lastGood: LastGood;

  constructor(
    private readonly cache: Cache,
    @Inject(CONFIG) private readonly config: StatusConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.lastGood = new LastGood(clock, config.staleMs);
  }

  /** The answer to a question as it is sent: with its age. See {@link get}. */
  async aged<T extends object>(what: string, input: unknown, kept: Kept, load: () => Promise<T>): Promise<Aged<T>> {
    const { value, ageMs, outdated } = await this.get(what, input, kept, load);
    return { ...value, ageMs, stale: outdated };
  }

  /** The answer to a question, from the cache or from `load`. `what` names the question, `input` is all it depends on. */
  get<T>(what: string, input: unknown, kept: Kept, load: () => Promise<T>): Promise<Answer<T>> {
    const key = `${what}:${createHash('sha256').update(JSON.stringify(input)).digest('base64url').slice(0, 22)}`;
    const { tag, ttlMs = TTL_MS, loadMs = LOAD_MS } = kept;
    const options = { ttlMs, staleMs: this.config.staleMs, graceMs: GRACE_MS, tags: [tag], timeoutMs: loadMs };
    const ask = (): Promise<Answer<T>> => this.cache.get(key, load, options);
    // Pages of the past are large and many, and nothing makes the cache forget them.
    return tag === 'history' ? ask() : this.lastGood.get(key, ask, ttlMs + GRACE_MS);
  }

  async forget(tags: readonly Tag[]): Promise<void> {
    await this.cache.invalidateTags(tags);
  }
}
