import { systemClock, within } from '@tocsin/core';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { Logger } from '@nestjs/common';
import type { Connection } from '../client/connection.ts';
import { newInbox } from '../wire/inbox.ts';

/**
 * The broker gives messages to a frozen instance until its last pull request expires. This is shorter than the shortest ack
 * wait, so that a frozen instance does not receive the same message twice.
 */
const EXPIRES_MS = 1_600;
const HEARTBEAT_MS = 800;
const CHECK_EVERY_MS = 500;
/** Two heartbeats missed. */
const HEARTBEAT_TIMEOUT_MS = 2 * HEARTBEAT_MS + CHECK_EVERY_MS;
/** A little more than one heartbeat, for a consumer that has just been silent. */
const RETRY_TIMEOUT_MS = HEARTBEAT_MS + 400;
/** A consumer that is silent for this long may be deleted. */
const REPORT_AFTER_MS = 1_000;
/** After this much silence, this server may be cut off from the one that has the consumer. */
const LEAVE_SERVER_AFTER_MS = 5_000;
const NANOS = 1_000_000;

/**
 * A long-lived pull on a durable consumer. The messages requested from the broker plus those in hand stay within `capacity`, so
 * other instances get their share, and nothing waits behind slow work.
 */
export class Pull {
  private requested = 0;
  private inHand = 0;
  private generation = 0;
  private timeoutMs = HEARTBEAT_TIMEOUT_MS;
  private heardAt = systemClock.monotonic();
  /** When the consumer began to send neither messages nor heartbeats. */
  private silentSince: number | undefined;
  private subscription: Subscription | undefined;
  private readonly inbox: string;
  private readonly nextSubject: string;
  private readonly threshold: number;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => void) | undefined;
  private stopped = false;
  private readonly logger = new Logger('Messaging');

  constructor(
    private readonly connection: Connection,
    private readonly target: { stream: string; durable: string },
    private readonly capacity: number,
    private readonly onMessage: (msg: Msg) => void,
  ) {
    this.inbox = newInbox(connection.options);
    this.nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${target.stream}.${target.durable}`;
    this.threshold = Math.max(1, Math.floor(capacity / 4));
  }

  start(): void {
    this.subscription = this.connection.nats.subscribe(`${this.inbox}.*`, {
      callback: (error, msg) => {
        if (!error) this.receive(msg);
      },
    });
    this.stopListening = this.connection.onReconnect(() => {
      this.silentSince = undefined;
      this.restart();
    });
    this.timer = setInterval(() => this.checkHeartbeat(), CHECK_EVERY_MS);
    this.timer.unref();
    this.request();
  }

  /** Frees the room of `count` messages that are settled. */
  done(count: number): void {
    this.inHand -= count;
    this.request();
  }

  /** Requests nothing more. Messages that the broker has already sent are still received before this resolves. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    this.stopListening?.();
    const { subscription } = this;
    if (!subscription || subscription.isClosed()) return;
    await within(
      subscription.drain().catch(() => undefined),
      1_000,
      () => undefined,
    );
  }

  private receive(msg: Msg): void {
    this.heardAt = systemClock.monotonic();
    if (msg.subject.startsWith(this.inbox)) return this.onStatus(msg);
    this.silentSince = undefined;
    this.timeoutMs = HEARTBEAT_TIMEOUT_MS;
    this.requested = Math.max(0, this.requested - 1);
    this.inHand++;
    this.onMessage(msg);
    this.request();
  }

  private onStatus(msg: Msg): void {
    const { headers } = msg;
    // A heartbeat for an earlier request proves that the consumer lives, too.
    if (!headers || headers.code === 100) {
      this.silentSince = undefined;
      this.timeoutMs = HEARTBEAT_TIMEOUT_MS;
      return;
    }
    if (msg.subject !== this.address()) return;
    const left = Number(headers.get('Nats-Pending-Messages'));
    if (headers.code === 408 || (headers.code === 409 && left > 0)) {
      this.requested = Math.max(0, this.requested - left);
      return this.request();
    }
    // The consumer lost its leader or is gone. The timer sends the next request, because an immediate one would spin.
    this.requested = 0;
    this.generation++;
    this.heardAt = systemClock.monotonic() - this.timeoutMs + CHECK_EVERY_MS;
    this.reportSilence();
  }

  private address(): string {
    return `${this.inbox}.${this.generation.toString(36)}`;
  }

  private request(): void {
    if (this.stopped) return;
    const room = this.capacity - this.inHand - this.requested;
    if (room <= 0 || (room < this.threshold && this.requested > 0)) return;
    if (this.requested === 0) this.heardAt = systemClock.monotonic();
    this.requested += room;
    const request = `{"batch":${room},"expires":${EXPIRES_MS * NANOS},"idle_heartbeat":${HEARTBEAT_MS * NANOS}}`;
    try {
      this.connection.nats.publish(this.nextSubject, request, { reply: this.address() });
    } catch {
      this.requested = 0;
    }
  }

  /** While a request is open, the broker sends a message or a heartbeat in time. After two missed ones, request again. */
  private checkHeartbeat(): void {
    if (!this.connection.connected) return;
    if (this.requested === 0) return this.request();
    if (systemClock.monotonic() - this.heardAt < this.timeoutMs) return;
    // The next leader does not know the request, so it is sent more often until one answers.
    this.timeoutMs = RETRY_TIMEOUT_MS;
    this.logger.debug(`no heartbeat from ${this.target.durable}: requesting again`);
    this.reportSilence();
    this.restart();
  }

  /** The consumer is silent. An election passes by itself, a deletion does not. */
  private reportSilence(): void {
    const now = systemClock.monotonic();
    this.silentSince ??= now;
    const silentMs = now - this.silentSince;
    if (silentMs < REPORT_AFTER_MS) return;
    this.connection.reportMissing(`nothing comes from the consumer ${this.target.durable}`);
    if (silentMs > LEAVE_SERVER_AFTER_MS)
      void this.connection.leaveServer(`nothing came from ${this.target.durable} for ${silentMs} ms`);
  }

  private restart(): void {
    this.requested = 0;
    this.generation++;
    this.request();
  }
}
