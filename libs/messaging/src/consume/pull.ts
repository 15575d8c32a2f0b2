import { systemClock } from '@tocsin/core';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { Logger } from '@nestjs/common';
import type { Connection } from '../client/connection.ts';
import { newInbox } from '../wire/inbox.ts';

/**
 * A frozen instance goes on being given messages for as long as its last question lasts. Shorter than the shortest ack
 * wait, so that what it did not answer is not given to it a second time.
 */
const EXPIRES_MS = 1_600;
const HEARTBEAT_MS = 800;
const WATCH_MS = 500;
/** Two heartbeats missed. */
const PATIENCE_MS = 2 * HEARTBEAT_MS + WATCH_MS;
/** A little more than one, for a consumer that has just been silent. */
const IMPATIENCE_MS = HEARTBEAT_MS + 400;
/** A consumer that nobody has for this long may be deleted. */
const GONE_MS = 1_000;
/** Asked again and again and not a word: this server may be cut off from the one that has the consumer. */
const UNHEARD_MS = 5_000;
const NANOS = 1_000_000;

/**
 * A long-lived pull on a durable consumer that never holds more than it was given room for: what is asked of the broker
 * plus what is in hand stays within `capacity`, so another instance gets its share, and nothing waits behind slow work.
 */
export class Pull {
  private asked = 0;
  private inHand = 0;
  private generation = 0;
  private patienceMs = PATIENCE_MS;
  private heardAt = systemClock.monotonic();
  /** Since when the consumer gives neither messages nor heartbeats. */
  private goneSince: number | undefined;
  private subscription: Subscription | undefined;
  private readonly inbox: string;
  private readonly nextSubject: string;
  private readonly threshold: number;
  private watch: NodeJS.Timeout | undefined;
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
      this.goneSince = undefined;
      this.restart();
    });
    this.watch = setInterval(() => this.check(), WATCH_MS);
    this.watch.unref();
    this.ask();
  }

  /** Gives the room of `count` messages back once they are settled. */
  done(count: number): void {
    this.inHand -= count;
    this.ask();
  }

  /** Asks for nothing more. Messages that the broker had sent already are still received before this resolves. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.watch);
    this.stopListening?.();
    const { subscription } = this;
    if (!subscription || subscription.isClosed()) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([subscription.drain().catch(() => undefined), late]);
  }

  private receive(msg: Msg): void {
    this.heardAt = systemClock.monotonic();
    if (msg.subject.startsWith(this.inbox)) return this.onStatus(msg);
    this.goneSince = undefined;
    this.patienceMs = PATIENCE_MS;
    this.asked = Math.max(0, this.asked - 1);
    this.inHand++;
    this.onMessage(msg);
    this.ask();
  }

  private onStatus(msg: Msg): void {
    const { headers } = msg;
    // A heartbeat for an earlier question comes from a consumer that lives, too.
    if (!headers || headers.code === 100) {
      this.goneSince = undefined;
      this.patienceMs = PATIENCE_MS;
      return;
    }
    if (msg.subject !== this.address()) return;
    const left = Number(headers.get('Nats-Pending-Messages'));
    if (headers.code === 408 || (headers.code === 409 && left > 0)) {
      this.asked = Math.max(0, this.asked - left);
      return this.ask();
    }
    // The consumer lost its leader or is gone, or no server has it: the watch asks anew, not at once, so as not to spin.
    this.asked = 0;
    this.generation++;
    this.heardAt = systemClock.monotonic() - this.patienceMs + WATCH_MS;
    this.suspect();
  }

  private address(): string {
    return `${this.inbox}.${this.generation.toString(36)}`;
  }

  private ask(): void {
    if (this.stopped) return;
    const room = this.capacity - this.inHand - this.asked;
    if (room <= 0 || (room < this.threshold && this.asked > 0)) return;
    if (this.asked === 0) this.heardAt = systemClock.monotonic();
    this.asked += room;
    const request = `{"batch":${room},"expires":${EXPIRES_MS * NANOS},"idle_heartbeat":${HEARTBEAT_MS * NANOS}}`;
    try {
      this.connection.nats.publish(this.nextSubject, request, { reply: this.address() });
    } catch {
      this.asked = 0;
    }
  }

  /** With something asked for, the broker sends a message or a heartbeat in time. Two missed: ask anew. */
  private check(): void {
    if (!this.connection.connected) return;
    if (this.asked === 0) return this.ask();
    if (systemClock.monotonic() - this.heardAt < this.patienceMs) return;
    // Whoever leads next has not heard the question: it is asked more often until somebody answers.
    this.patienceMs = IMPATIENCE_MS;
    this.logger.debug(`no heartbeat from ${this.target.durable}: asking anew`);
    this.suspect();
    this.restart();
  }

  /** The consumer gives nothing: an election passes by itself, a deletion does not. */
  private suspect(): void {
    const now = systemClock.monotonic();
    this.goneSince ??= now;
    const gone = now - this.goneSince;
    if (gone < GONE_MS) return;
    this.connection.missing(`nothing comes from the consumer ${this.target.durable}`);
    if (gone > UNHEARD_MS) void this.connection.force(`nothing came from ${this.target.durable} for ${gone} ms`);
  }

  private restart(): void {
    this.asked = 0;
    this.generation++;
    this.ask();
  }
}
