import { sleep, systemClock } from '@tocsin/core';
import { Logger } from '@nestjs/common';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  ReplayPolicy,
} from '@nats-io/jetstream';
import type { Connection } from './connection.ts';
import { headerRecord } from '../wire/headers.ts';

const RETRY_MS = 500;
const HEARTBEAT_MS = 1_000;
const PREFETCH = 500;
/** How often to check a stream that seems to have lost its end: a new leader may still catch up. */
const MAX_LOOKS = 6;
/** After failing for this long, this server may be cut off from the one that has the stream. */
const LEAVE_SERVER_AFTER_MS = 5_000;
const INACTIVE_NS = 30_000 * 1_000_000;

/** Where following begins: at the first message kept, at the next one, at the last of each subject, or at a sequence. */
export type FollowFrom = 'all' | 'new' | 'last-per-subject' | number;

export interface FollowOptions {
  stream: string;
  filters: string[];
  from: FollowFrom;
  /** Called when the stream was created again, or lost its end. The next message is the first after that. */
  onReset?: (() => void) | undefined;
}

/** One message seen by following a stream. */
export interface Followed {
  readonly subject: string;
  /** The parsed JSON, or `undefined` if the payload is none. */
  readonly data: unknown;
  readonly sequence: number;
  readonly publishedAt: number;
  readonly headers: Record<string, string>;
}

export interface Follow {
  /** Resolves once everything that was stored when following began has been seen. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads a stream in order through an ephemeral consumer, so it takes no message from anybody. After any failure a new consumer
 * begins behind the last sequence seen. A listener receives each message once and in order. A stream that was deleted and
 * created again is followed from its start, because its sequences begin again.
 */
export class StreamFollow implements Follow {
  readonly caughtUp: Promise<void>;
  private markCaughtUp: () => void = () => undefined;
  private last = 0;
  private created: string | undefined;
  /** The stream was created again, so nothing of it was seen yet. */
  private recreated = false;
  private failingSince: number | undefined;
  private startIsFixed = false;
  private stopped = false;
  private messages: ConsumerMessages | undefined;
  private finished: Promise<void> = Promise.resolve();
  private readonly logger = new Logger('Messaging');
  private readonly stopListening: () => void;

  constructor(
    private readonly connection: Connection,
    private readonly o: FollowOptions,
    private readonly listener: (message: Followed) => void,
  ) {
    this.caughtUp = new Promise((resolve) => {
      this.markCaughtUp = resolve;
    });
    this.stopListening = connection.onReconnect(() => this.messages?.stop());
  }

  /** When the stream was created, as the broker reports it. Another time means another stream. */
  get incarnation(): string {
    return this.created ?? '';
  }

  /** Resolves with the first subscription, so that nothing published afterwards is missed. */
  async start(): Promise<this> {
    const first = await this.retrying();
    this.finished = this.run(first);
    return this;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopListening();
    this.messages?.stop();
    await this.finished;
  }

  private async run(first: ConsumerMessages | undefined): Promise<void> {
    let messages = first;
    while (!this.stopped && messages) {
      await this.read(messages);
      if (this.stopped) return;
      await sleep(RETRY_MS / 5);
      messages = await this.retrying();
    }
  }

  private async retrying(): Promise<ConsumerMessages | undefined> {
    while (!this.stopped) {
      try {
        this.messages = await this.subscribe();
        this.failingSince = undefined;
        return this.messages;
      } catch (error) {
        if (this.connection.nats.isClosed()) return undefined;
        this.reportSilence();
        this.logger.warn(`following ${this.o.stream} again soon: ${(error as Error).message}`);
        await sleep(RETRY_MS);
      }
    }
    return undefined;
  }

  private reportSilence(): void {
    const now = systemClock.monotonic();
    if (!this.connection.connected) this.failingSince = undefined;
    else this.failingSince ??= now;
    this.connection.reportMissing(`${this.o.stream} cannot be followed`);
    if (this.failingSince !== undefined && now - this.failingSince > LEAVE_SERVER_AFTER_MS)
      void this.connection.leaveServer(`${this.o.stream} could not be followed for ${LEAVE_SERVER_AFTER_MS} ms`);
  }

  /** Detects a stream that was created again, or that lost its end. */
  private async checkStream(): Promise<void> {
    for (let looks = 1; ; looks++) {
      const { created, state } = await this.connection.jsm.streams.info(this.o.stream);
      const known = this.created;
      this.created = created;
      if (known !== undefined && known !== created) {
        this.recreated = true;
        return this.reset(0);
      }
      if (known === undefined || state.last_seq >= this.last) return;
      if (looks >= MAX_LOOKS) return this.reset(state.last_seq);
      await sleep(RETRY_MS);
    }
  }

  private reset(last: number): void {
    this.logger.warn(`${this.o.stream} changed: following it behind ${last} instead of ${this.last}`);
    this.last = last;
    this.startIsFixed = true;
    this.o.onReset?.();
  }

  private async subscribe(): Promise<ConsumerMessages> {
    const { jsm, nats } = this.connection;
    await this.checkStream();
    const info = await jsm.consumers.add(this.o.stream, this.config());
    if (!this.startIsFixed && this.o.from === 'new') {
      // Every later subscription begins behind the present end, so that a reconnect misses nothing.
      this.last = info.delivered.stream_seq;
      this.startIsFixed = true;
    }
    if (info.num_pending === 0) this.markCaughtUp();
    const consumer = jsm.jetstream().consumers.getConsumerFromInfo(info);
    const messages = await consumer.consume({ max_messages: PREFETCH, expires: 30_000, idle_heartbeat: HEARTBEAT_MS });
    void this.watch(messages, nats);
    return messages;
  }

  private config(): Partial<ConsumerConfig> {
    // After a recreation, `last-per-subject` again wants only the last of each subject.
    const begin = this.recreated && this.last === 0 && this.o.from === 'last-per-subject';
    const start = begin
      ? 0
      : this.last > 0 || this.startIsFixed
        ? this.last + 1
        : typeof this.o.from === 'number'
          ? Math.max(1, this.o.from)
          : 0;
    const policy =
      this.o.from === 'all'
        ? DeliverPolicy.All
        : this.o.from === 'new'
          ? DeliverPolicy.New
          : DeliverPolicy.LastPerSubject;
    return {
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      filter_subjects: this.o.filters,
      inactive_threshold: INACTIVE_NS,
      mem_storage: true,
      num_replicas: 1,
      max_deliver: 1,
      ...(start > 0
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start }
        : { deliver_policy: policy }),
    };
  }

  /** A consumer that lost its server is silent: after two missed heartbeats a new one replaces it. */
  private async watch(messages: ConsumerMessages, nats: Connection['nats']): Promise<void> {
    for await (const status of messages.status()) {
      const gone =
        status.type === 'consumer_not_found' ||
        status.type === 'consumer_deleted' ||
        status.type === 'stream_not_found' ||
        status.type === 'heartbeats_missed';
      if (gone || nats.isClosed()) messages.stop();
    }
  }

  private async read(messages: ConsumerMessages): Promise<void> {
    try {
      let expected = 1;
      for await (const msg of messages) {
        // A gap means that a delivery was lost: begin again behind the last message seen.
        if (msg.info.deliverySequence !== expected++ && this.last > 0) break;
        this.deliver(msg);
        if (this.stopped) break;
      }
    } catch (error) {
      this.logger.warn(`following ${this.o.stream} broke off: ${(error as Error).message}`);
    } finally {
      messages.stop();
    }
  }

  private deliver(msg: JsMsg): void {
    const { streamSequence, timestampNanos, pending } = msg.info;
    if (streamSequence <= this.last) return;
    this.last = streamSequence;
    const publishedAt = Math.floor(timestampNanos / 1e6) || systemClock.now();
    try {
      this.listener({
        subject: msg.subject,
        data: parsed(msg),
        sequence: streamSequence,
        publishedAt,
        headers: headerRecord(msg.headers),
      });
    } catch (error) {
      this.logger.error(`a listener of ${this.o.stream} failed at ${streamSequence}: ${(error as Error).stack}`);
    }
    if (pending === 0) this.markCaughtUp();
  }
}

function parsed(msg: JsMsg): unknown {
  try {
    return msg.json();
  } catch {
    return undefined;
  }
}
