import { Inject, Injectable, Logger } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import type { Aged } from '@tocsin/contracts';
import { type Clock, TocsinError, within } from '@tocsin/core';
import { Database, type Queryable } from '@tocsin/database';
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
export function aged<T extends object>({ value, ageMs, stale }: Read<T>): Aged<T> {
  return { ...value, ageMs, stale };
}

/** Reads something from the primary, or from a standby. */
export type Load<T> = (from: Queryable) => Promise<T>;

/**
 * Reads that go on while the database is away: what was read before is remembered, and what was not is asked of a standby
 * where there is one. Both are marked as stale. `found` says whether an answer tells that something is there.
 */
@Injectable()
export class Reads {
  private readonly logger = new Logger('Reads');
  private awayUntil = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly cache: Cache,
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** From the cache while that is fresh, else from the record, else what is remembered, else from a standby. */
  async cached<T>(key: string, load: Load<T>, found: (value: T) => boolean): Promise<Read<T>> {
    let known: Read<T>;
    try {
      known = await this.cache.get(key, () => this.orStandby(load), { ttlMs: FRESH_MS, staleMs: STALE_MS });
    } catch (error) {
      return this.fromStandby(load, found, error);
    }
    if (!known.stale || this.isAway) return known;
    try {
      return { value: await this.asked(load), ageMs: 0, stale: false };
    } catch (error) {
      if (!canRetry(error)) throw error;
      return known;
    }
  }

  /**
   * From the record; only where that can't be reached what is remembered, else from a standby. What is not `found` is
   * not worth remembering.
   */
  async fresh<T>(key: string, load: Load<T>, found: (value: T) => boolean): Promise<Read<T>> {
    try {
      if (this.isAway) return await this.remembered<T>(key, AWAY).catch(() => this.fromStandby(load, found, AWAY));
    } catch {
      // Neither remembered nor at a standby: only the record can tell.
    }
    try {
      const value = await this.asked(load);
      if (found(value)) this.remember(key, value);
      return { value, ageMs: 0, stale: false };
    } catch (error) {
      if (!canRetry(error)) throw error;
      return this.remembered<T>(key, error).catch(() => this.fromStandby(load, found, error));
    }
  }

  /**
   * What the record says, else a standby, else what the caller knows; never what the shared cache remembers: for what
   * grants a right. @throws where nobody can tell
   */
  async recorded<T>(load: Load<T>, found: (value: T) => boolean, known: T | undefined): Promise<T> {
    const otherwise = async (error: unknown): Promise<T> => {
      return this.fromStandby(load, found, error).then(
        ({ value }) => value,
        () => (canRetry(error) && known !== undefined ? known : Promise.reject(error as Error)),
      );
    };
    try {
      if (this.isAway) return await otherwise(AWAY);
    } catch {
      // Neither known nor at a standby: only the record can tell.
    }
    return this.asked(load).catch(otherwise);
  }

  /** Whether the record was away a moment ago. */
  private get isAway(): boolean {
    return this.clock.monotonic() < this.awayUntil;
  }

  /** What the record says, in whatever time it takes; where a standby would answer instead, in its time alone. */
  private orStandby<T>(load: Load<T>): Promise<T> {
    if (this.database.standby === undefined) return load(this.database);
    return this.isAway ? Promise.reject(AWAY) : this.asked(load);
  }

  /**
   * What a standby says. It may be behind by what was just written, so it is not believed that something isn't there.
   * @throws `otherwise` where it can't tell
   */
  private async fromStandby<T>(load: Load<T>, found: (value: T) => boolean, otherwise: unknown): Promise<Read<T>> {
    const { standby } = this.database;
    if (standby === undefined || !canRetry(otherwise)) throw otherwise;
    const value = await inTime(load(standby)).catch((error: unknown) => {
      this.logger.debug(`no standby answers either: ${String(error)}`);
      throw otherwise;
    });
    if (!found(value)) throw otherwise;
    return { value, ageMs: 0, stale: true };
  }

  /** What the record says, within the time that somebody waits while an older answer may be at hand. */
  private async asked<T>(load: Load<T>): Promise<T> {
    try {
      const value = await inTime(load(this.database));
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

function inTime<T>(work: Promise<T>): Promise<T> {
  return within(work, PATIENCE_MS, () => {
    throw new TocsinError('deadline', 'The database did not answer in time.');
  });
}
