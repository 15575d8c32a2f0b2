import { Inject, Injectable } from '@nestjs/common';
import type { routes } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG, Drain } from '@tocsin/service';
import { logger } from '@tocsin/telemetry';
import type { Answer } from '../edge/answer.ts';
import type { Call } from '../edge/call.ts';
import { EdgeRefusal } from '../edge/problem.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { EventFeed } from './event-feed.ts';
import { EventStream } from './event-stream.ts';

const HEARTBEAT_MS = 15_000;
/** After this long a page connects again, and so shows that its token is still good. */
const LONGEST_MS = 3_600_000;
const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
const log = logger('events');

/** Opens event streams, bounded in number, and keeps them alive. */
@Injectable()
export class EventsService {
  private readonly open = new Set<EventStream>();

  constructor(
    private readonly feed: EventFeed,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Drain) private readonly drain: Drain,
  ) {
    const beat = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
    drain.onStop('stop-taking', () => {
      clearInterval(beat);
      for (const stream of this.open) stream.finish();
    });
  }

  /** @throws TocsinError `unavailable` when too many are open here; EdgeRefusal `invalid` for a Last-Event-ID that is none */
  async stream(call: Call<typeof routes.events>): Promise<Answer> {
    const after = lastEventId(call.headers['last-event-id']);
    if (call.head) return { headers: HEADERS };
    if (this.open.size >= this.config.maxStreams || this.drain.stopping) {
      throw new TocsinError('unavailable', 'Too many event streams are open here. Try again later.');
    }
    const stream = new EventStream(call.query, this.clock.monotonic());
    this.open.add(stream);
    stream.once('close', () => this.open.delete(stream));
    stream.write('retry: 1000\n\n');
    try {
      await this.feed.start();
    } catch (error) {
      stream.destroy();
      throw error;
    }
    if (after === undefined) this.feed.join(stream);
    else void this.resume(stream, after);
    return { headers: HEADERS, stream };
  }

  private async resume(stream: EventStream, after: number): Promise<void> {
    try {
      await this.feed.resume(stream, after);
    } catch (error) {
      log.warn({ err: error }, 'events could not be replayed; the page is told to connect again');
      stream.finish();
    }
  }

  private beat(): void {
    const oldest = this.clock.monotonic() - LONGEST_MS;
    for (const stream of this.open) {
      if (stream.openedAt < oldest) stream.finish();
      else stream.comment('still here');
    }
  }
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw EdgeRefusal.header('Last-Event-ID', 'expected the id of an event');
}
