import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { Connection } from './connection.ts';
import type { ConsumerSpec } from './contract.ts';
import { reconcileConsumer, reconcileTopology, repair, type Standing } from './topology.ts';

/** Told by whoever created a stream; every other process looks whether one that it knew exists anew. */
const NEWS_SUBJECT = 'tocsin.topology';
const GAP_MS = 2_000;
const JITTER_MS = 400;
const LOOK_MS = 30_000;

type Consumer = Omit<ConsumerSpec, 'schema'>;

/**
 * Keeps the contract's streams, its buckets and this process's consumers in being while the system runs: what was deleted
 * is created again. It looks when something seems to be missing, after every reconnect, when told, and every 30 s. It only
 * creates what the broker says is not there, so that looking during an election is harmless.
 */
export class TopologyKeeper {
  private readonly created = new Map<string, string>();
  private readonly consumers = new Map<string, Consumer>();
  private readonly listeners = new Set<(stream: string) => void>();
  private booted: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private closed = false;
  private readonly logger = new Logger('Messaging');

  constructor(private readonly connection: Connection) {
    connection.onMissing((why) => this.look(why));
    connection.onReconnect(() => this.look('connected again'));
    connection.nats.subscribe(NEWS_SUBJECT, {
      callback: (error) => {
        if (!error) this.look('told that a stream was created');
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
    this.note(await reconcileTopology(this.connection));
    this.rest();
  }

  /** Looks soon: at most once in 2 s, and not at the same moment as every other process. */
  private look(why: string): void {
    if (this.closed || this.looking || this.created.size === 0) return;
    const wait = Math.max(0, this.lookedAt + GAP_MS - systemClock.monotonic()) + Math.random() * JITTER_MS;
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
    const { standing, failures } = await repair(this.connection, [...this.consumers.values()]);
    this.note(standing);
    if (failures.length > 0) {
      const problems = [...new Set(failures.map((failure) => (failure as Error).message))].join('; ');
      this.logger.debug(`looked at streams and consumers (${why}), in vain for now: ${problems}`);
    }
    this.lookedAt = systemClock.monotonic();
    this.looking = false;
    this.rest();
  }

  private note(standing: readonly Standing[]): void {
    const anew: string[] = [];
    for (const { stream, created } of standing) {
      const known = this.created.get(stream);
      this.created.set(stream, created);
      if (known !== undefined && known !== created) anew.push(stream);
    }
    if (standing.some(({ made }) => made)) this.spread();
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

  private spread(): void {
    if (this.connection.connected) this.connection.nats.publish(NEWS_SUBJECT);
  }
}
