import { Injectable } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { Database } from '@tocsin/database';

/** Not there, or not yet granted: its owner has not run its migrations. */
const NOT_MIGRATED: ReadonlySet<unknown> = new Set(['42P01', '3F000', '42501', '42883']);

/** The views that other services publish, read on the replica where there is one. */
@Injectable()
export class Records {
  constructor(private readonly database: Database) {}

  /**
   * Runs one named read.
   * @throws TocsinError `unavailable` while the database is away or the owner of a view has not created it yet
   */
  async read<R>(name: string, sql: string, params: readonly unknown[]): Promise<R[]> {
    try {
      return await this.database.read.query<R>(sql, params, { name });
    } catch (error) {
      if (!(error instanceof TocsinError) || !NOT_MIGRATED.has(error.details?.['sqlState'])) throw error;
      throw new TocsinError(
        'unavailable',
        `${name}: its owner has not created what it reads yet; start it once, then retry.`,
        {
          cause: error,
        },
      );
    }
  }
}
