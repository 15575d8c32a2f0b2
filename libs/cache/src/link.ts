import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Clock, TocsinError, within } from '@tocsin/core';
import { Redis, type RedisOptions } from 'ioredis';

/** What instances tell each other: drop these, or (a new era) drop everything. */
export type News = { keys?: readonly string[]; tags?: readonly string[]; era?: string };

export interface LinkOptions {
  redis: RedisOptions;
  namespace: string;
  clock: Clock;
  /** Called for news of every instance, this one's too, in the order in which Redis saw them. */
  onNews(news: News): void;
}

/** Longest wait for an answer. Only calls that are under way when Redis stops answering pay it. */
const COMMAND_MS = 200;
const HEARTBEAT_MS = 400;
/** The memory tier is believed for this long after the bus last proved that it delivers. */
const TRUST_MS = 1_250;
const RESTORE_MS = 250;
/** Restores in vain before the connections are opened anew (a cut network never says that it is gone). */
const FRUITLESS_RESTORES = 6;
/** Restores in vain before Redis is missed that was never there: a service that is being loaded is deaf for seconds. */
const FIRST_RESTORES = 10;

/**
 * The connections to Redis and whether they can be believed.
 *
 * The link is up within an *era*: a token in Redis that is part of every key there. Whenever an instance connects, or
 * finds that Redis answers again, it begins a new era and tells everybody. So nothing that was cached before an outage
 * is read after it, whoever invalidated it meanwhile and could not say so.
 */
export class RedisLink {
  private readonly logger = new Logger('Cache');
  private readonly commands: Redis;
  private readonly subscriber: Redis;
  private readonly eraKey: string;
  private readonly channel: string;
  private current: string | undefined;
  private awaited: { token: string; arrived: () => void } | undefined;
  private confirmedAt = Number.NEGATIVE_INFINITY;
  private fruitless = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  /** So that an outage is logged once, and the first connection is no news. */
  private reported = false;
  private firstRestores = FIRST_RESTORES;

  constructor(private readonly options: LinkOptions) {
    this.eraKey = `${options.namespace}:era`;
    this.channel = `${options.namespace}:news`;
    this.commands = this.connect();
    this.subscriber = this.connect();
    this.subscriber.on('message', (_channel: string, text: string) => this.hear(text));
    for (const redis of [this.commands, this.subscriber]) {
      redis.on('close', () => this.fall('the connection was lost'));
      redis.on('ready', () => this.schedule(0));
    }
    this.schedule(RESTORE_MS);
  }

  /** The era, or undefined while Redis is away. */
  get era(): string | undefined {
    return this.current;
  }

  /** Whether every invalidation up to (almost) now has reached this instance. */
  get trusted(): boolean {
    return this.current !== undefined && this.options.clock.monotonic() - this.confirmedAt < TRUST_MS;
  }

  /**
   * Runs a command unless Redis is away. Never throws: undefined means that there was no answer, and that Redis
   * counts as away from now on.
   */
  async ask<T>(fn: (redis: Redis) => Promise<T>): Promise<{ answer: T } | undefined> {
    if (this.current === undefined) return undefined;
    try {
      return { answer: await answered(fn(this.commands)) };
    } catch (error) {
      this.fall(reasonOf(error));
      return undefined;
    }
  }

  /** Announces that Redis can't be believed until a new era has begun. */
  fall(reason: string): void {
    if (this.current === undefined || this.closed) return;
    this.current = undefined;
    this.report(reason);
    this.schedule(RESTORE_MS);
  }

  /** @throws TocsinError `unavailable` */
  async ping(): Promise<{ role: string; latencyMs: number }> {
    const startedAt = this.options.clock.monotonic();
    try {
      const [role] = (await answered(this.commands.role())) as unknown as [string];
      return { role: role === 'slave' ? 'replica' : 'primary', latencyMs: this.options.clock.monotonic() - startedAt };
    } catch (cause) {
      throw new TocsinError('unavailable', `Redis does not answer (${reasonOf(cause)}).`, { cause });
    }
  }

  close(): void {
    this.closed = true;
    this.current = undefined;
    clearTimeout(this.timer);
    this.commands.disconnect();
    this.subscriber.disconnect();
  }

  private report(reason: string): void {
    if (!this.reported) this.logger.warn(`Redis is away (${reason}): values are loaded directly until it is back.`);
    this.reported = true;
  }

  private connect(): Redis {
    const redis = new Redis({
      ...this.options.redis,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 1_000,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 400) * (0.75 + Math.random() / 2),
      sentinelRetryStrategy: (times) => Math.min(50 * 2 ** times, 400),
      // A primary that was demoted answers READONLY: look for the new one.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    // Failures are seen where they matter, by `close` and by commands without an answer.
    redis.on('error', () => undefined);
    return redis;
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(() => void this.beat().finally(() => this.reschedule()), delayMs);
    this.timer.unref();
  }

  private reschedule(): void {
    this.schedule(this.current === undefined ? RESTORE_MS : HEARTBEAT_MS);
  }

  private async beat(): Promise<void> {
    if (this.current === undefined) return this.restore();
    const sentAt = this.options.clock.monotonic();
    try {
      // Asked on the bus's own connection: its answer comes after every message that was sent before it.
      await answered(this.subscriber.ping());
      this.confirmedAt = sentAt;
    } catch (error) {
      this.fall(reasonOf(error));
    }
  }

  /** Begins a new era, and is up once the bus itself has brought the news of it. */
  private async restore(): Promise<void> {
    if (this.awaited !== undefined) return;
    this.revive();
    const token = randomBytes(8).toString('hex');
    const sentAt = this.options.clock.monotonic();
    try {
      const arrival = new Promise<void>((arrived) => (this.awaited = { token, arrived }));
      await answered(this.subscriber.subscribe(this.channel));
      const news = JSON.stringify({ era: token } satisfies News);
      await answered(this.commands.multi().set(this.eraKey, token).publish(this.channel, news).exec());
      await answered(arrival);
      this.confirmedAt = sentAt;
      this.fruitless = 0;
      this.firstRestores = 0;
      if (this.reported) this.logger.log('Redis is back: what was cached before is dropped.');
      this.reported = false;
    } catch (error) {
      this.current = undefined;
      if (this.firstRestores > 0) this.firstRestores -= 1;
      else this.report(reasonOf(error));
      this.fruitless += 1;
      if (this.fruitless % FRUITLESS_RESTORES === 0) this.reopen();
    } finally {
      this.awaited = undefined;
    }
  }

  /**
   * Connects again where the driver has given up for good: it does when a sentinel's news of a failover reaches it while
   * it is still asking the sentinels for the primary.
   */
  private revive(): void {
    for (const redis of [this.commands, this.subscriber]) {
      if (redis.status === 'end') void redis.connect().catch(() => undefined);
    }
  }

  private reopen(): void {
    for (const redis of [this.commands, this.subscriber]) if (redis.status === 'ready') redis.disconnect(true);
  }

  private hear(text: string): void {
    const news = parse(text);
    if (news === undefined) return;
    if (news.era !== undefined) {
      if (news.era === this.awaited?.token) {
        this.current = news.era;
        this.awaited.arrived();
      } else if (this.current !== undefined) {
        this.current = news.era;
      }
    }
    this.options.onNews(news);
  }
}

/** Waits a bounded time for an answer. */
function answered<T>(answer: Promise<T>): Promise<T> {
  return within(answer, COMMAND_MS, () => {
    throw new Error(`no answer within ${COMMAND_MS} ms`);
  });
}

function parse(text: string): News | undefined {
  try {
    const news = JSON.parse(text) as News | null;
    return typeof news === 'object' && news !== null ? news : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
