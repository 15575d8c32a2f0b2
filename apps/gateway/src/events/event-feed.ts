import { Injectable } from '@nestjs/common';
import { streams } from '@tocsin/contracts';
import { sleep } from '@tocsin/core';
import { type Follow, Messaging } from '@tocsin/messaging';
import { policy } from '@tocsin/resilience';
import { Drain } from '@tocsin/service';
import { eventOf, type LiveEvent } from './event.ts';
import { EventRing } from './event-ring.ts';
import type { EventStream } from './event-stream.ts';

const PAGE = 500;
const PAGE_MS = 5_000;
const RING = { events: 2_000, characters: 1_048_576 };

/** Events as this instance sees them: one subscription for all pages, and the newest ones in memory. */
@Injectable()
export class EventFeed {
  private readonly ring = new EventRing(RING);
  private readonly live = new Set<EventStream>();
  private readonly replays = policy('events.replay', { bulkhead: { limit: 8, queue: 1_000 } });
  private following: Promise<Follow> | undefined;

  constructor(
    private readonly messaging: Messaging,
    drain: Drain,
  ) {
    drain.onStop('finish', async () => (await this.following)?.stop());
  }

  /** Begins to follow, once; resolved when nothing that happens from now on is missed. */
  async start(): Promise<void> {
    this.following ??= this.follow('new', (event) => {
      this.ring.add(event);
      for (const stream of this.live) stream.send(event);
    });
    this.following.catch(() => {
      this.following = undefined;
    });
    await this.following;
  }

  /** Sends a stream what happens from now on. */
  join(stream: EventStream): void {
    if (stream.destroyed) return;
    this.live.add(stream);
    stream.once('close', () => this.live.delete(stream));
  }

  /** Sends a stream all that happened after an event, however long ago, and then what happens from now on. */
  async resume(stream: EventStream, after: number): Promise<void> {
    let recent = this.ring.since(after);
    for (let last = after; !recent && !stream.destroyed;) {
      const page = await this.replays.execute(() => this.replay(last + 1));
      if (page.events[0] && page.events[0].sequence > last + 1) {
        stream.write(`event: gap\ndata: {"after":${last},"before":${page.events[0].sequence}}\n\n`);
      }
      for (const event of page.events) stream.send(event);
      last = page.events.at(-1)?.sequence ?? last;
      if (page.complete) recent = this.ring.after(last);
      await stream.drained();
    }
    // Nothing comes in between: the ring is read and the stream joined without a pause.
    for (const event of recent ?? []) stream.send(event);
    this.join(stream);
  }

  /** One page from the stream itself; `complete` when it reaches what was the end at that time. */
  private async replay(from: number): Promise<{ events: LiveEvent[]; complete: boolean }> {
    const events: LiveEvent[] = [];
    let full: () => void = () => undefined;
    const filled = new Promise<void>((resolve) => {
      full = resolve;
    });
    const follow = await this.follow(from, (event) => {
      if (events.length < PAGE) events.push(event);
      if (events.length === PAGE) full();
    });
    try {
      const outcome = await Promise.race([follow.caughtUp.then(() => true), filled, sleep(PAGE_MS)]);
      return { events, complete: outcome === true && events.length < PAGE };
    } finally {
      await follow.stop();
    }
  }

  private follow(from: 'new' | number, on: (event: LiveEvent) => void): Promise<Follow> {
    const { name, subjects } = streams.events;
    return this.messaging.follow({ stream: name, filters: [...subjects], from }, (message) => {
      const event = eventOf(message);
      if (event) on(event);
    });
  }
}
