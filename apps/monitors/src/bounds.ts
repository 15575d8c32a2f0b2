import { Inject, Injectable } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';
import { CONFIG } from '@tocsin/service';
import type { MonitorsConfig } from './monitors.config.ts';

type Counted = 'monitors' | 'channels' | 'tokens';

/** Bounds how many there are of each, however many instances add some at once. */
@Injectable()
export class Bounds {
  constructor(@Inject(CONFIG) private readonly config: MonitorsConfig) {}

  /**
   * Counts one more.
   * @throws TocsinError `conflict` at the bound
   */
  async add(tx: Queryable, what: Counted): Promise<void> {
    const most = this.config.most[what];
    const rows = await tx.query(
      'UPDATE counters SET value = value + 1 WHERE name = $1 AND value < $2 RETURNING value',
      [what, most],
      { name: 'count one more' },
    );
    if (rows.length > 0) return;
    const key = `TOCSIN_MAX_${what.toUpperCase()}`;
    throw new TocsinError(
      'conflict',
      `There are ${most} ${what} already, which is the bound; delete some or raise ${key}.`,
    );
  }

  /** Counts one less. */
  async remove(tx: Queryable, what: Counted): Promise<void> {
    await tx.query('UPDATE counters SET value = value - 1 WHERE name = $1', [what], { name: 'count one less' });
  }
}
