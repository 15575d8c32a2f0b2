import { Injectable, Logger } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import { TocsinError } from '@tocsin/core';

/** How long a remembered answer may stand in while the database is away. */
const STALE_MS = 86_400_000;
/** How long an answer counts as fresh; a write of any instance ends that at once. */
const FRESH_MS = 10_000;
/** The record gets this long to answer before a remembered answer is given instead. */
const PATIENCE_MS = 1_000;

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

  constructor(private readonly cache: Cache) {}

  /** From the cache while that is fresh, else from the record, else what is remembered. */
  async cached<T>(key: string, load: () => Promise<T>): Promise<Read<T>> {
    const known = await this.cache.get(key, load, { ttlMs: FRESH_MS, staleMs: STALE_MS });
    if (!known.stale) return known;
    try {
      return { value: await inTime(load()), ageMs: 0, stale: false };
    } catch (error) {
      if (!isAway(error)) throw error;
      return known;
    }
  }

  /** From the record; what is remembered only where the record can't be reached. `keep` says what is worth remembering. */
  async fresh<T>(key: string, load: () => Promise<T>, keep: (value: T) => boolean = () => true): Promise<Read<T>> {
    try {
      const value = await inTime(load());
      if (keep(value)) this.remember(key, value);
      return { value, ageMs: 0, stale: false };
    } catch (error) {
      if (!isAway(error)) throw error;
      const giveUp = (): Promise<T> => Promise.reject(error as Error);
      return { ...(await this.cache.get(key, giveUp, { ttlMs: FRESH_MS, staleMs: STALE_MS })), stale: true };
    }
  }

  /** Makes every instance forget what it remembers under these keys. Never throws. */
  async forget(keys: readonly string[]): Promise<void> {
    await this.cache.invalidate(keys).catch((error: unknown) => this.logger.warn(`could not forget: ${String(error)}`));
  }

  private remember<T>(key: string, value: T): void {
    this.cache
      .get(key, () => Promise.resolve(value), { ttlMs: FRESH_MS, staleMs: STALE_MS })
      .catch((error: unknown) => this.logger.debug(`could not remember: ${String(error)}`));
  }
}

function isAway(error: unknown): boolean {
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
