import { Injectable } from '@nestjs/common';
import { Messaging } from '@tocsin/messaging';
import { z } from 'zod';

const record = z.object({ dueAt: z.number() });

/** Up to which due time each shard's windows have been published: where a new holder resumes. */
@Injectable()
export class Watermarks {
  constructor(private readonly messaging: Messaging) {}

  /** The shard's watermark in milliseconds since the epoch, or undefined when it was never scheduled. */
  async read(shard: number): Promise<number | undefined> {
    const entry = await this.messaging.kv('watermarks').get(key(shard));
    return entry ? record.parse(entry.value).dueAt : undefined;
  }

  /** Records a watermark. An older holder's late write can only move it back, which costs doubles that the stream drops. */
  async write(shard: number, dueAt: number): Promise<void> {
    await this.messaging.kv('watermarks').put(key(shard), { dueAt });
  }
}

const key = (shard: number) => `scheduler.${shard}`;
