import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import type { ConsumerSpec } from '../contract.ts';
import { reconcileConsumer, reconcileTopology, repairTopology, StreamMissing, type StreamState } from './topology.ts';

/**
 * A process publishes `made` here when it created a stream, so that the others check whether a stream that they knew was
 * recreated. A process that misses a stream and may not create it publishes `missed`, so that the keeper of the streams checks.
 */
const NEWS_SUBJECT = 'tocsin.topology';
const MADE = 'made';
const MISSED = 'missed';
const REPAIR_GAP_MS = 2_000;
const JITTER_MS = 400;
const CHECK_EVERY_MS = 30_000;
const REPORT_GAP_MS = 500;

type Consumer = Omit<ConsumerSpec, 'schema'>;

/**
 * Keeps the contract's streams, its buckets and this process's consumers alive while the system runs: it creates again what was
 * deleted, and restores what was changed. It checks when something seems to be missing, after every reconnect, at a message of
 * another process, and every 30 s. It creates only what the broker reports as missing, so a check during an election is
 * harmless. A process that may not create streams tells the one that may, and waits.
 */
export class TopologyKeeper {
  /** When each stream was created, as the broker reports it. */
  private readonly created = new Map<string, string>();
  private readonly consumers = new Map<string, Consumer>();
  private readonly listeners = new Set<(stream: string) => void>();
  private booted: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private scheduled = false;
  private repairing = false;
  private again = false;
  private reportedAt = Number.NEGATIVE_INFINITY;
  private readonly keepsStreams: boolean;
  private repairedAt = Number.NEGATIVE_INFINITY;
  private closed = false;
  private readonly logger = new Logger('Messaging');

  constructor(private readonly connection: Connection) {
    this.keepsStreams = connection.options.keepsStreams !== false;
    connection.onMissing((why) => {
      this.reportMissing();
      this.scheduleRepair(why);
    });
    connection.onReconnect(() => this.scheduleRepair('connected again'));
    connection.nats.subscribe(NEWS_SUBJECT, {
      callback: (error, msg) => {
        if (error) return;
        const made = msg.string() !== MISSED;
        // A process that may not create streams acts once one was created.
        if (made || this.keepsStreams)
          this.scheduleRepair(`told that a stream was ${made ? 'created' : 'missed'}`, made);
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
    this.remember(await reconcileTopology(this.connection, () => this.reportMissing()));
    this.scheduleNextCheck();
  }

  /** Checks soon: at most once in 2 s unless there is news, and not at the same moment as every other process. */
  private scheduleRepair(why: string, news = false): void {
    if (this.closed || this.created.size === 0) return;
    // The running check may have read the changed stream before the news arrived.
    if (this.repairing) this.again ||= news;
    if (this.repairing || (this.scheduled && !news)) return;
    const gap = news ? 0 : Math.max(0, this.repairedAt + REPAIR_GAP_MS - systemClock.monotonic());
    const wait = gap + Math.random() * JITTER_MS;
    this.scheduled = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.repair(why), wait);
    this.timer.unref();
  }

  private scheduleNextCheck(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => this.scheduleRepair('it is time'), CHECK_EVERY_MS * (0.5 + Math.random()));
    this.timer.unref();
  }

  private async repair(why: string): Promise<void> {
    this.repairing = true;
    this.again = false;
    const { states, failures } = await repairTopology(this.connection, [...this.consumers.values()]);
    this.repairing = false;
    this.remember(states);
    if (failures.length > 0) {
      const problems = [...new Set(failures.map((failure) => (failure as Error).message))].join('; ');
      this.logger.debug(`checked streams and consumers (${why}), some without success: ${problems}`);
    }
    this.repairedAt = systemClock.monotonic();
    this.scheduled = false;
    const stillMissing = failures.some((failure) => failure instanceof StreamMissing);
    if (stillMissing) this.reportMissing();
    if (this.again) this.scheduleRepair('told of something meanwhile', true);
    else if (stillMissing) this.scheduleRepair('something is still missing');
    else this.scheduleNextCheck();
  }

  private remember(states: readonly StreamState[]): void {
    const recreated: string[] = [];
    for (const { stream, created } of states) {
      const known = this.created.get(stream);
      this.created.set(stream, created);
      if (known !== undefined && known !== created) recreated.push(stream);
    }
    if (states.some(({ made }) => made)) this.broadcast(MADE);
    for (const stream of recreated) {
      this.logger.warn(`${stream} was deleted and created again: its messages are gone`);
      for (const listener of this.listeners) this.notify(listener, stream);
    }
  }

  private notify(listener: (stream: string) => void, stream: string): void {
    try {
      listener(stream);
    } catch (error) {
      this.logger.error(`a listener failed after ${stream} was created again: ${(error as Error).stack}`);
    }
  }

  /** Tells the keeper of the streams that one seems to be missing, at most twice a second. */
  private reportMissing(): void {
    const now = systemClock.monotonic();
    if (this.keepsStreams || now - this.reportedAt < REPORT_GAP_MS) return;
    this.reportedAt = now;
    this.broadcast(MISSED);
  }

  private broadcast(news: string): void {
    if (this.connection.connected) this.connection.nats.publish(NEWS_SUBJECT, news);
  }
}
