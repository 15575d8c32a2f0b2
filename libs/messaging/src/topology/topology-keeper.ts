import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import type { ConsumerSpec } from '../contract.ts';
import { look, Missing, reconcileConsumer, reconcileTopology, type Standing } from './topology.ts';

/**
 * Told by whoever created a stream, so that every other process looks whether one that it knew exists anew; and by whoever
 * misses one and may not create it, so that those who may look.
 */
const NEWS_SUBJECT = 'tocsin.topology';
const MADE = 'made';
const MISSED = 'missed';
const GAP_MS = 2_000;
const JITTER_MS = 400;
const LOOK_MS = 30_000;
const MISS_GAP_MS = 500;

type Consumer = Omit<ConsumerSpec, 'schema'>;

/**
 * Keeps the contract's streams, its buckets and this process's consumers in being while the system runs: what was deleted
 * is created again, and what was changed is restored. It looks when something seems to be missing, after every reconnect,
 * when told, and every 30 s. It only creates what the broker says is not there, so that looking during an election is
 * harmless. A process that may not create streams tells those who may, and waits.
 */
export class TopologyKeeper {
  private readonly created = new Map<string, string>();
  private readonly consumers = new Map<string, Consumer>();
  private readonly listeners = new Set<(stream: string) => void>();
  private booted: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private busy = false;
  private again = false;
  private missedAt = Number.NEGATIVE_INFINITY;
  private readonly keepsStreams: boolean;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private closed = false;
  private readonly logger = new Logger('Messaging');

  constructor(private readonly connection: Connection) {
    this.keepsStreams = connection.options.keepsStreams !== false;
    connection.onMissing((why) => {
      this.miss();
      this.look(why);
    });
    connection.onReconnect(() => this.look('connected again'));
    connection.nats.subscribe(NEWS_SUBJECT, {
      callback: (error, msg) => {
        if (error) return;
        const made = msg.string() !== MISSED;
        // Whoever can do nothing about it is told by the one who did.
        if (made || this.keepsStreams) this.look(`told that a stream was ${made ? 'created' : 'missed'}`, made);
      },
    });
  }

  /** Creates or updates the contract's streams and buckets, once per process. */
  boot(): Promise<void> {
    this.booted ??= this.start().catch((error: unknown) => {
      this.booted = undefined;
      throw error;
    });
    return this.booted;
  }

  /** Creates or updates a consumer, and keeps it from now on. */
  async keep(consumer: Consumer): Promise<void> {
    await reconcileConsumer(this.connection, consumer);
    this.consumers.set(`${consumer.stream} ${consumer.durable}`, consumer);
  }

  /** As `Messaging.onStreamRecreated`. */
  onRecreated(listener: (stream: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  private async start(): Promise<void> {
    this.note(await reconcileTopology(this.connection, () => this.miss()));
    this.rest();
  }

  /** Looks soon: at most once in 2 s unless there is news, and not at the same moment as every other process. */
  private look(why: string, news = false): void {
    if (this.closed || this.created.size === 0) return;
    // What came about during a look may have come too late for it.
    if (this.busy) this.again ||= news;
    if (this.busy || (this.looking && !news)) return;
    const gap = news ? 0 : Math.max(0, this.lookedAt + GAP_MS - systemClock.monotonic());
    const wait = gap + Math.random() * JITTER_MS;
    this.looking = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.repair(why), wait);
    this.timer.unref();
  }

  private rest(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => this.look('it is time'), LOOK_MS * (0.5 + Math.random()));
    this.timer.unref();
  }

  private async repair(why: string): Promise<void> {
    this.busy = true;
    this.again = false;
    const { standing, failures } = await look(this.connection, [...this.consumers.values()]);
    this.busy = false;
    this.note(standing);
    if (failures.length > 0) {
      const problems = [...new Set(failures.map((failure) => (failure as Error).message))].join('; ');
      this.logger.debug(`looked at streams and consumers (${why}), in vain for now: ${problems}`);
    }
    this.lookedAt = systemClock.monotonic();
    this.looking = false;
    const waits = failures.some((failure) => failure instanceof Missing);
    if (waits) this.miss();
    if (this.again) this.look('told of something meanwhile', true);
    else if (waits) this.look('something is still missing');
    else this.rest();
  }

  private note(standing: readonly Standing[]): void {
    const anew: string[] = [];
    for (const { stream, created } of standing) {
      const known = this.created.get(stream);
      this.created.set(stream, created);
      if (known !== undefined && known !== created) anew.push(stream);
    }
    if (standing.some(({ made }) => made)) this.spread(MADE);
    for (const stream of anew) {
      this.logger.warn(`${stream} was deleted and exists anew: what it held is gone`);
      for (const listener of this.listeners) this.tell(listener, stream);
    }
  }

  private tell(listener: (stream: string) => void, stream: string): void {
    try {
      listener(stream);
    } catch (error) {
      this.logger.error(`a listener failed when ${stream} existed anew: ${(error as Error).stack}`);
    }
  }

  /** Tells those who may create streams that one seems to be missing: at most twice a second. */
  private miss(): void {
    const now = systemClock.monotonic();
    if (this.keepsStreams || now - this.missedAt < MISS_GAP_MS) return;
    this.missedAt = now;
    this.spread(MISSED);
  }

  private spread(news: string): void {
    if (this.connection.connected) this.connection.nats.publish(NEWS_SUBJECT, news);
  }
}
