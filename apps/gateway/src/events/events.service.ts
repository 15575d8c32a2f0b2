import { Inject, Injectable } from '@nestjs/common';
import type { routes } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { type Answer, Authenticator, type Call, EdgeRefusal } from '@tocsin/edge';
import { CONFIG, Drain } from '@tocsin/service';
import { logger } from '@tocsin/telemetry';
import type { GatewayConfig } from '../gateway.config.ts';
import { EventFeed } from './event-feed.ts';
import { EventStream } from './event-stream.ts';

const HEARTBEAT_MS = 15_000;
/** After this long a page connects again, to whichever gateway. */
const LONGEST_MS = 3_600_000;
const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
const log = logger('events');

/** Who reads a stream. */
interface Reader {
  tokenId: string;
  authorization: string | undefined;
}

/** Opens event streams, bounded in number, and keeps them alive for as long as their tokens work. */
@Injectable()
export class EventsService {
  private readonly open = new Map<EventStream, Reader>();

  constructor(
    private readonly feed: EventFeed,
    private readonly authenticator: Authenticator,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    private readonly drain: Drain,
  ) {
    const beat = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
    drain.onStop('stop-taking', () => {
      clearInterval(beat);
      for (const stream of this.open.keys()) stream.finish();
    });
    authenticator.onRevoked((tokenId) => this.finish(tokenId));
  }

  /**
   * @throws TocsinError `unavailable` when too many are open here, `exhausted` when too many are with this token; EdgeRefusal `invalid` for a
   *   Last-Event-ID that is none
   */
  async stream(call: Call<typeof routes.events>): Promise<Answer> {
    const after = lastEventId(call.headers['last-event-id']);
    if (call.head) return { headers: HEADERS };
    if (this.open.size >= this.config.maxStreams || this.drain.stopping) {
      throw new TocsinError('unavailable', 'Too many event streams are open here. Try again later.');
    }
    const { tokenId = '' } = call.caller ?? {};
    const others = [...this.open.values()].filter((reader) => reader.tokenId === tokenId).length;
    if (others >= this.config.maxStreamsPerToken) {
      throw new TocsinError('exhausted', `${others} event streams are open here with this token. Close one first.`);
    }
    const stream = new EventStream(call.query);
    this.open.set(stream, { tokenId, authorization: call.headers.authorization });
    const end = setTimeout(
      () => stream.finish(),
      Math.min(this.authenticator.worksForMs(call.caller), LONGEST_MS),
    ).unref();
    stream.once('close', () => {
      clearTimeout(end);
      this.open.delete(stream);
    });
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
    const tokens = new Map<string, string | undefined>();
    for (const [stream, { tokenId, authorization }] of this.open) {
      stream.comment('still here');
      tokens.set(tokenId, authorization);
    }
    for (const [tokenId, authorization] of tokens) void this.check(tokenId, authorization);
  }

  /** In case this gateway did not hear that the token was revoked. While nobody can say, the page stays. */
  private async check(tokenId: string, authorization: string | undefined): Promise<void> {
    try {
      await this.authenticator.callerOf(authorization);
    } catch (error) {
      if (error instanceof TocsinError && error.code === 'unauthenticated') this.finish(tokenId);
    }
  }

  private finish(tokenId: string): void {
    for (const [stream, reader] of this.open) if (reader.tokenId === tokenId) stream.finish();
  }
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw EdgeRefusal.header('Last-Event-ID', 'expected the id of an event');
}
