import { Inject, Injectable, Logger } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';

/** How long a remembered answer may stand in while the database is away. */
const STALE_MS = 86_400_000;
/** How long an answer counts as fresh; a write of any instance ends that at once. */
const FRESH_MS = 10_000;
/** The record gets this long to answer before a remembered answer is given instead. */
const PATIENCE_MS = 700;
/** For how long after that nobody waits for the record again while a remembered answer is at hand. */
const AWAY_MS = 2_000;

const AWAY = new TocsinError('unavailable', 'The database is away.');

export interface Read<T> {
  value: T;
  ageMs: number;
  stale: boolean;
}

/** What is read, as it is answered: with its age. */
export type Aged<T> = T & { ageMs: number; stale: boolean };

export function aged<T extends object>({ value, ageMs, stale }: Read<T>): Aged<T> {
  return { ...value, ageMs, stale };
}

/** Reads that go on while the database is away: what was read before is remembered, and marked as stale. */
@Injectable()
export class Reads {
  private readonly logger = new Logger('Reads');
  private awayUntil = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly cache: Cache,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** From the cache while that is fresh, else from the record, else what is remembered. */
  async cached<T>(key: string, load: () => Promise<T>): Promise<Read<T>> {
    const known = await this.cache.get(key, load, { ttlMs: FRESH_MS, staleMs: STALE_MS });
    if (!known.stale || this.isAway) return known;
    try {
      return { value: await this.asked(load), ageMs: 0, stale: false };
    } catch (error) {
      if (!canRetry(error)) throw error;
      return known;
    }
  }

  /** From the record; what is remembered only where the record can't be reached. `keep` says what is worth remembering. */
  async fresh<T>(key: string, load: () => Promise<T>, keep: (value: T) => boolean = () => true): Promise<Read<T>> {
    const known = this.isAway ? await this.remembered<T>(key, AWAY).catch(() => undefined) : undefined;
    if (known) return known;
    try {
      const value = await this.asked(load);
      if (keep(value)) this.remember(key, value);
      return { value, ageMs: 0, stale: false };
    } catch (error) {
      if (!canRetry(error)) throw error;
      return this.remembered(key, error);
    }
  }

  /** Makes every instance forget what it remembers under these keys. Never throws. */
  async forget(keys: readonly string[]): Promise<void> {
    await this.cache.invalidate(keys).catch((error: unknown) => this.logger.warn(`could not forget: ${String(error)}`));
  }

  /** Whether the record was away a moment ago. */
  private get isAway(): boolean {
    return this.clock.monotonic() < this.awayUntil;
  }

  /** What the record says, within the time that somebody waits while an older answer may be at hand. */
  private async asked<T>(load: () => Promise<T>): Promise<T> {
    try {
      const value = await inTime(load());
      this.awayUntil = Number.NEGATIVE_INFINITY;
      return value;
    } catch (error) {
      if (canRetry(error)) this.awayUntil = this.clock.monotonic() + AWAY_MS;
      throw error;
    }
  }

  /** @throws `otherwise` where nothing is remembered */
  private async remembered<T>(key: string, otherwise: unknown): Promise<Read<T>> {
    const giveUp = (): Promise<T> => Promise.reject(otherwise as Error);
    return { ...(await this.cache.get(key, giveUp, { ttlMs: FRESH_MS, staleMs: STALE_MS })), stale: true };
  }

  private remember<T>(key: string, value: T): void {
    this.cache
      .get(key, () => Promise.resolve(value), { ttlMs: FRESH_MS, staleMs: STALE_MS })
      .catch((error: unknown) => this.logger.debug(`could not remember: ${String(error)}`));
  }
}

function canRetry(error: unknown): boolean {
  return error instanceof TocsinError && error.retry;
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TocsinError('deadline', 'The database did not answer in time.')), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
