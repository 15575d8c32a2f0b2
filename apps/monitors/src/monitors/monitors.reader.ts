import { Injectable } from '@nestjs/common';
import type { Aged, Monitor, MonitorKind } from '@tocsin/contracts';
import type { Queryable } from '@tocsin/database';
import { pageOf, readCursor } from '../cursor.ts';
import { aged, Reads } from '../reads.ts';
import { notFound } from '../record.ts';
import { MonitorsStore } from './monitors.store.ts';

export interface MonitorsQuery {
  tag?: string | string[] | undefined;
  kind?: MonitorKind | undefined;
  paused?: boolean | undefined;
  q?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** What a monitor is remembered under. */
export function keyOf(id: string): string {
  return `monitor:${id}`;
}

/** Reads of monitors, which go on while the database is away. */
@Injectable()
export class MonitorsReader {
  constructor(
    private readonly monitors: MonitorsStore,
    private readonly reads: Reads,
  ) {}

  /** @throws TocsinError `not_found` */
  async get({ id }: { id: string }): Promise<Aged<{ monitor: Monitor }>> {
    // That there is none is an answer too: were it thrown, an older answer would stand in for it.
    const load = async (from: Queryable): Promise<{ monitor: Monitor | null }> => ({
      monitor: (await this.monitors.find(id, from)) ?? null,
    });
    const { value, ageMs, stale } = await this.reads.cached(keyOf(id), load, ({ monitor }) => monitor !== null);
    if (!value.monitor) throw notFound('monitor', id);
    return { monitor: value.monitor, ageMs, stale };
  }

  /** @throws TocsinError `invalid` for a bad cursor */
  async list(query: MonitorsQuery): Promise<Aged<{ items: Monitor[]; next?: string }>> {
    const { cursor, limit, tag, kind, paused, q } = query;
    const tags = tag === undefined ? [] : [tag].flat();
    const filter = { tags, kind, paused, q, after: readCursor(cursor), limit: limit + 1 };
    const key = `monitors:${JSON.stringify([tags, kind, paused, q, cursor, limit])}`;
    const load = async (from: Queryable): Promise<{ items: Monitor[]; next?: string }> =>
      pageOf(await this.monitors.list(filter, from), limit);
    return aged(await this.reads.fresh(key, load, () => true));
  }
}
