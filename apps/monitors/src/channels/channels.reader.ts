import { Injectable } from '@nestjs/common';
import type { Aged, Channel } from '@tocsin/contracts';
import type { Queryable } from '@tocsin/database';
import { pageOf, readCursor } from '../cursor.ts';
import { aged, Reads } from '../reads.ts';
import { notFound } from '../record.ts';
import { ChannelsStore } from './channels.store.ts';

/** What a channel is remembered under. */
export function keyOf(id: string): string {
  return `channel:${id}`;
}

/** Reads of channels, which go on while the database is away. */
@Injectable()
export class ChannelsReader {
  constructor(
    private readonly channels: ChannelsStore,
    private readonly reads: Reads,
  ) {}

  /** @throws TocsinError `not_found` */
  async get({ id }: { id: string }): Promise<Aged<Channel>> {
    const load = async (from: Queryable): Promise<{ channel: Channel | null }> => ({
      channel: (await this.channels.find(id, from)) ?? null,
    });
    const { value, ageMs, stale } = await this.reads.cached(keyOf(id), load, ({ channel }) => channel !== null);
    if (!value.channel) throw notFound('channel', id);
    return { ...value.channel, ageMs, stale };
  }

  /** @throws TocsinError `invalid` for a bad cursor */
  async list({
    cursor,
    limit,
  }: {
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: Channel[]; next?: string }>> {
    const after = readCursor(cursor);
    const load = async (from: Queryable): Promise<{ items: Channel[]; next?: string }> =>
      pageOf(await this.channels.list({ after, limit: limit + 1 }, from), limit);
    return aged(await this.reads.fresh(`channels:${JSON.stringify([cursor, limit])}`, load, () => true));
  }
}
