import { Injectable } from '@nestjs/common';
import { type Follow, Messaging } from '@tocsin/messaging';
import { z } from 'zod';
import { within } from '@tocsin/core';

const record = z.object({ dueAt: z.number() });
/** A bucket that does not answer for so long has no leader, or is asked of one that is gone. */
const PATIENCE_MS = 500;

/** Up to which due time each shard's windows have been published: where a new holder resumes. */
@Injectable()
export class Watermarks {
  /** What was seen of the others' writes, by key. */
  private readonly seen = new Map<string, number>();
  private following: Follow | undefined;

  constructor(private readonly messaging: Messaging) {}

  /** Looks on from now on as watermarks are written. */
  async start(): Promise<void> {
    this.following = await this.bucket.follow((of, value) => {
      const { success, data } = record.safeParse(value);
      if (success) this.seen.set(of, data.dueAt);
      else this.seen.delete(of);
    });
  }

  async stop(): Promise<void> {
    await this.following?.stop();
  }

  /**
   * The shard's watermark in milliseconds since the epoch, or undefined when it was never scheduled. While the bucket does
   * not answer it is the one that was seen last: an older one costs doubles that the stream drops, and to wait costs windows.
   */
  async read(shard: number): Promise<number | undefined> {
    const asked = this.ask(shard);
    const seen = this.seen.get(key(shard));
    if (seen === undefined) return asked;
    return within(
      asked.catch(() => seen),
      PATIENCE_MS,
      () => seen,
    );
  }

  /** Records a watermark. An older holder's late write can only move it back, which costs doubles that the stream drops. */
  async write(shard: number, dueAt: number): Promise<void> {
    await this.bucket.put(key(shard), { dueAt });
  }

  private async ask(shard: number): Promise<number | undefined> {
    const entry = await this.bucket.get(key(shard));
    return entry ? record.parse(entry.value).dueAt : undefined;
  }

  private get bucket() {
    return this.messaging.kv('watermarks');
  }
}

const key = (shard: number) => `scheduler.${shard}`;
