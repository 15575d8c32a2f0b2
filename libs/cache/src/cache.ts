import { context, SpanKind, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { type Clock, systemClock, TocsinError, withDeadline, within } from '@tocsin/core';
import { parseRedisUrl } from './address.ts';
import { type Entry, entryOf } from './entry.ts';
import type { News } from './link.ts';
import { Memory } from './memory.ts';
import { Meters, type Outcome, type Tier } from './meters.ts';
import { type Seen, Shared } from './shared.ts';
import { takeTurn } from './turn.ts';
import type { Answer, CacheOptions, GetOptions } from './types.ts';

interface Flight {
  tags: readonly string[];
  answer: Promise<Answer<unknown>>;
  /** False once its key was invalidated: what it loads may be old, and is kept nowhere. */
  valid: boolean;
}

interface Request {
  key: string;
  load: () => Promise<unknown>;
  tags: readonly string[];
  options: GetOptions;
}

const LOAD_MS = 10_000;
/** A failing loader is not asked again in the background before this has passed. */
const RELOAD_PAUSE_MS = 1_000;

/**
 * Values that can be loaded again, kept in memory and in Redis. An answer may be late to change by `ttlMs` if nobody
 * invalidates it, and not at all if somebody does. Nothing throws or waits because Redis is away.
 */
export class Cache {
  private readonly memory: Memory;
  private readonly shared: Shared;
  private readonly meters: Meters;
  private readonly clock: Clock;
  private readonly tracer = trace.getTracer('tocsin');
  private readonly flights = new Map<string, Flight>();
  private readonly failedAt = new Map<string, number>();

  /** @throws TocsinError `invalid` if the URL is not usable */
  constructor(private readonly options: CacheOptions) {
    this.clock = options.clock ?? systemClock;
    this.memory = new Memory(options.maxItems ?? 5_000, options.maxSize ?? 16_000_000);
    this.meters = new Meters(options.namespace);
    this.shared = new Shared({
      redis: parseRedisUrl(options.url, options.ca),
      namespace: `tocsin:${options.namespace}`,
      clock: this.clock,
      onNews: (news) => this.hear(news),
    });
  }

  /**
   * The value of a key: from memory, from Redis, or from `load`, which runs once however many ask at the same time, on
   * however many instances.
   * A stale value is returned at once while it is reloaded (up to `graceMs`), and also when `load` fails.
   * @param load must return plain JSON; what JSON cannot hold is returned but not kept
   * @throws what `load` throws if there is no usable older value, or TocsinError `deadline` if it takes too long
   */
  async get<T>(key: string, load: () => Promise<T>, options: GetOptions): Promise<Answer<T>> {
    const request: Request = { key, load, tags: options.tags ?? [], options };
    const entry = this.shared.link.trusted ? this.memory.get(key) : undefined;
    const now = this.clock.now();
    if (entry !== undefined && now < entry.freshUntil) return this.answer(entry, request, 'memory', 'hit') as Answer<T>;
    if (entry !== undefined && this.isAtOnce(entry, request)) {
      this.reload(request, undefined);
      return this.answer(entry, request, 'memory', 'stale') as Answer<T>;
    }
    const flight = this.flights.get(key) ?? this.start(request, (own) => this.find(request, own));
    return (await flight.answer) as Answer<T>;
  }

  /**
   * Makes every instance forget these keys: a load that began earlier is not kept either. While Redis is away this
   * instance forgets at once, and everybody forgets everything when Redis is back.
   */
  async invalidate(keys: readonly string[]): Promise<void> {
    await this.forget({ keys, tags: [] });
  }

  /** The same for everything that was loaded with one of these tags. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.forget({ keys: [], tags });
  }

  /** Asks Redis how it is. @throws TocsinError `unavailable` */
  ping(): Promise<{ role: string; latencyMs: number }> {
    return this.shared.link.ping();
  }

  close(): Promise<void> {
    this.shared.link.close();
    this.memory.clear();
    return Promise.resolve();
  }

  private async forget(news: { keys: readonly string[]; tags: readonly string[] }): Promise<void> {
    if (news.keys.length + news.tags.length === 0) return;
    this.hear(news);
    await this.shared.invalidate(news.keys, news.tags);
    // Whoever read the old value from Redis between the two must not keep it.
    this.hear(news);
  }

  private hear(news: News): void {
    if (news.era !== undefined) {
      this.memory.clear();
      for (const key of this.flights.keys()) this.cancel(key);
      return;
    }
    for (const key of news.keys ?? []) {
      this.memory.delete(key);
      this.cancel(key);
    }
    for (const tag of news.tags ?? []) {
      this.memory.deleteTag(tag);
      for (const [key, flight] of this.flights) if (flight.tags.includes(tag)) this.cancel(key);
    }
  }

  /** Who asks from now on starts a load of their own. */
  private cancel(key: string): void {
    const flight = this.flights.get(key);
    if (flight === undefined) return;
    flight.valid = false;
    this.flights.delete(key);
  }

  private start(request: Request, run: (flight: Flight) => Promise<Answer<unknown>>): Flight {
    const flight: Flight = { tags: request.tags, valid: true, answer: Promise.resolve(undefined as never) };
    this.flights.set(request.key, flight);
    flight.answer = run(flight)
      .catch((error: unknown) => this.fallBack(request, flight, error))
      .finally(() => {
        if (this.flights.get(request.key) === flight) this.flights.delete(request.key);
      });
    flight.answer.catch(() => undefined);
    return flight;
  }

  /** Looks into Redis, then loads. */
  private async find(request: Request, flight: Flight): Promise<Answer<unknown>> {
    const { entry, seen } = await this.shared.read(request.key, request.tags);
    const now = this.clock.now();
    if (entry !== undefined && now < entry.usableUntil) {
      if (flight.valid) this.memory.set(request.key, entry, request.tags);
      if (now < entry.freshUntil) return this.answer(entry, request, 'redis', 'hit');
      if (this.isAtOnce(entry, request)) {
        if (flight.valid) {
          this.flights.delete(request.key);
          this.reload(request, seen);
        }
        return this.answer(entry, request, 'redis', 'stale');
      }
    }
    const older = this.failedLately(request.key) ? this.usable(request, flight) : undefined;
    if (older !== undefined) return this.answer(older, request, 'memory', 'stale');
    return this.load(request, flight, seen);
  }

  /** Loads in the background what is stale, one load at a time and not at once after a failure. */
  private reload(request: Request, seen: Seen | undefined): void {
    if (this.flights.has(request.key) || this.failedLately(request.key)) return;
    this.start(request, async (flight) => {
      if (seen !== undefined) return this.load(request, flight, seen);
      const reading = await this.shared.read(request.key, request.tags);
      const { entry } = reading;
      if (entry === undefined || this.clock.now() >= entry.freshUntil) return this.load(request, flight, reading.seen);
      // Another instance has reloaded it.
      if (flight.valid) this.memory.set(request.key, entry, request.tags);
      return this.answer(entry, request, 'redis', 'hit');
    });
  }

  private async load(request: Request, flight: Flight, seen: Seen | undefined): Promise<Answer<unknown>> {
    const { key, tags, options } = request;
    const timeoutMs = options.timeoutMs ?? LOAD_MS;
    const askedAt = this.clock.monotonic();
    const turn = await takeTurn(this.shared, this.clock, { key, tags, seen, timeoutMs });
    if ('entry' in turn) {
      if (flight.valid) this.memory.set(key, turn.entry, tags);
      return this.answer(turn.entry, request, 'redis', 'hit');
    }
    try {
      return await this.loadNow(request, flight, {
        seen: turn.seen,
        timeoutMs: timeoutMs - (this.clock.monotonic() - askedAt),
      });
    } finally {
      // Sent after the value was: who waits for the turn finds the value.
      turn.end();
    }
  }

  private async loadNow(
    request: Request,
    flight: Flight,
    { seen, timeoutMs }: { seen: Seen | undefined; timeoutMs: number },
  ): Promise<Answer<unknown>> {
    const startedAt = this.clock.now();
    let value: unknown;
    // Many may wait for it, so it has a time of its own and not that of the first who asked.
    try {
      value = await this.traced(() =>
        bounded(() => withDeadline(startedAt + timeoutMs, request.load), timeoutMs, request.key),
      );
    } catch (error) {
      this.remember(request.key);
      throw error;
    }
    this.failedAt.delete(request.key);
    const entry = entryOf(value, startedAt, request.options);
    this.meters.count('loader', 'miss');
    if (entry === undefined) return { value, ageMs: 0, stale: false, outdated: false };
    if (flight.valid) {
      this.memory.set(request.key, entry, request.tags);
      // Nobody waits for it: it is bounded by the link, and never fails.
      if (seen !== undefined) void this.shared.store(request.key, request.tags, entry, seen);
    }
    return { value: entry.value, ageMs: 0, stale: false, outdated: false };
  }

  private fallBack(request: Request, flight: Flight, error: unknown): Answer<unknown> {
    this.meters.count('loader', 'error');
    const older = this.usable(request, flight);
    if (older === undefined) throw error;
    return this.answer(older, request, 'memory', 'stale');
  }

  /** What is in memory is better than no answer, even if nobody could say whether it still holds. */
  private usable(request: Request, flight: Flight): Entry | undefined {
    const entry = flight.valid ? this.memory.get(request.key) : undefined;
    return entry !== undefined && this.clock.now() < entry.usableUntil ? entry : undefined;
  }

  /** Whether an old value is given without a wait: for a while after its time, and while nothing newer is to be had. */
  private isAtOnce(entry: Entry, { key, options }: Request): boolean {
    const now = this.clock.now();
    const graceUntil = entry.freshUntil + (options.graceMs ?? Number.POSITIVE_INFINITY);
    return now < entry.usableUntil && (now < graceUntil || this.failedLately(key));
  }

  private failedLately(key: string): boolean {
    return this.clock.monotonic() - (this.failedAt.get(key) ?? Number.NEGATIVE_INFINITY) < RELOAD_PAUSE_MS;
  }

  private answer(entry: Entry, { key, options }: Request, ...[tier, outcome]: [Tier, Outcome]): Answer<unknown> {
    this.meters.count(tier, outcome);
    const now = this.clock.now();
    const stale = outcome === 'stale';
    const outdated = stale && (now >= entry.freshUntil + (options.graceMs ?? 0) || this.failedLately(key));
    return { value: entry.value, ageMs: Math.max(0, now - entry.loadedAt), stale, outdated };
  }

  private remember(key: string): void {
    if (this.failedAt.size >= 1_000) this.failedAt.clear();
    this.failedAt.set(key, this.clock.monotonic());
  }

  private async traced<T>(fn: () => Promise<T>): Promise<T> {
    if (trace.getActiveSpan()?.isRecording() !== true) return fn();
    const span: Span = this.tracer.startSpan('cache load', {
      kind: SpanKind.INTERNAL,
      attributes: { 'tocsin.cache': this.options.namespace, 'tocsin.cache.redis': this.shared.link.era !== undefined },
    });
    try {
      return await context.with(trace.setSpan(context.active(), span), fn);
    } catch (error) {
      if (!(error instanceof TocsinError)) span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

function bounded<T>(load: () => Promise<T>, timeoutMs: number, key: string): Promise<T> {
  return within(load(), timeoutMs, () => {
    throw new TocsinError('deadline', `Loading ${key} took longer than ${timeoutMs} ms; retry.`);
  });
}
