import { sleep, systemClock, TocsinError } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import type { Connection } from './connection.ts';
import { newInbox } from '../wire/inbox.ts';
import { HEADER } from '../wire/names.ts';
import { OutgoingHeaders } from '../wire/headers.ts';
import { counters } from '../wire/metrics.ts';

const MAX_IN_FLIGHT = 4_096;
const MAX_WAITING = 65_536;
const DEFAULT_TIMEOUT_MS = 15_000;
const ATTEMPT_MS = 1_500;
const SWEEP_MS = 100;
const NO_ACK_MS = 2_500;
const RESEND_AFTER_SILENCE_MS = 1_000;
const RETRY_MS = 150;
/** An election takes longer than this. A check of the streams during one is harmless. */
const NO_STREAM_MS = 1_000;
const STORE_FULL = 10_077;
/** An earlier attempt is still on its way through the replicas. The next one learns its result. */
const CONFLICT = 409;

export interface PublishOptions {
  id: string;
  headers?: Readonly<Record<string, string>> | undefined;
  timeoutMs?: number | undefined;
  /** A batch handler receives it at once, with the messages that have gathered, instead of waiting for more. */
  urgent?: boolean | undefined;
}

export interface Published {
  stream: string;
  sequence: number;
  duplicate: boolean;
}

interface PubAck {
  stream?: string;
  seq?: number;
  duplicate?: boolean;
  error?: { code: number; err_code?: number; description: string };
}

interface PendingPublish {
  subject: string;
  payload: Uint8Array;
  headers: OutgoingHeaders;
  reply: string;
  until: number;
  againAt: number;
  sentAt: number;
  problem: string | undefined;
  /** When publishing to this subject first failed because no stream takes it. */
  noStreamSince: number | undefined;
  full: boolean;
  resolve: (published: Published) => void;
  reject: (error: Error) => void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A message's payload: JSON. */
export function payloadOf(data: unknown): Uint8Array {
  return encoder.encode(data === undefined ? 'null' : JSON.stringify(data));
}

/**
 * Publishes to streams and waits for the acknowledgement: many at once over one inbox, each sent again with the same
 * id until it is acknowledged or its time is over. All attempts share one reply address, so a late acknowledgement of
 * an early attempt still counts.
 */
export class Publisher {
  private readonly inbox: string;
  private readonly inFlight = new Map<string, PendingPublish>();
  /** Not sent yet, because the limit of messages in flight is reached. */
  private readonly backlog = new Map<string, PendingPublish>();
  private next = 0;
  private lastAckAt = systemClock.monotonic();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly connection: Connection) {
    this.inbox = newInbox(connection.options);
    connection.nats.subscribe(`${this.inbox}.*`, {
      callback: (error, msg) => {
        if (!error) this.onAck(msg);
      },
    });
    connection.onReconnect(() => this.sendAllAgain());
  }

  /** How many publishes wait, to be sent or to be acknowledged. */
  get waiting(): number {
    return this.inFlight.size + this.backlog.size;
  }

  /** As `Messaging.publish`, with headers that already carry the trace context. A `Uint8Array` is sent as it is. */
  async publish(subject: string, data: unknown, o: PublishOptions, trace?: OutgoingHeaders): Promise<Published> {
    const headers = (trace ?? new OutgoingHeaders()).setAll(o.headers).set(HEADER.id, o.id);
    if (o.urgent) headers.set(HEADER.urgent, '1');
    const payload = data instanceof Uint8Array ? data : payloadOf(data);
    const limit = this.connection.largestPayload;
    if (payload.length > limit) {
      throw new TocsinError(
        'too_large',
        `A message to ${subject} has ${payload.length} bytes; at most ${limit} can be sent.`,
      );
    }
    if (this.backlog.size >= MAX_WAITING) {
      throw new TocsinError('exhausted', `${MAX_WAITING} publishes already wait. Publish slower, or wait for each.`);
    }
    return new Promise<Published>((resolve, reject) => {
      const now = systemClock.monotonic();
      const token = (this.next++).toString(36);
      const message: PendingPublish = {
        subject,
        payload,
        headers,
        reply: `${this.inbox}.${token}`,
        until: now + (o.timeoutMs ?? DEFAULT_TIMEOUT_MS),
        againAt: now + ATTEMPT_MS,
        sentAt: now,
        problem: undefined,
        noStreamSince: undefined,
        full: false,
        resolve,
        reject,
      };
      if (this.inFlight.size >= MAX_IN_FLIGHT) this.backlog.set(token, message);
      else this.launch(token, message);
    });
  }

  /** Waits until everything in flight is settled, at most `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    const until = systemClock.monotonic() + timeoutMs;
    while (this.waiting > 0 && systemClock.monotonic() < until) await sleep(10);
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const [token, message] of [...this.backlog, ...this.inFlight]) {
      this.backlog.delete(token);
      this.inFlight.delete(token);
      message.reject(new TocsinError('unavailable', `The process stops before ${message.subject} was acknowledged.`));
    }
  }

  private launch(token: string, message: PendingPublish): void {
    const now = systemClock.monotonic();
    // Nothing was in flight before, so silence counts from here.
    if (this.inFlight.size === 0) this.lastAckAt = now;
    this.inFlight.set(token, message);
    this.arm();
    this.send(message, now);
  }

  private send(message: PendingPublish, now: number): void {
    message.sentAt = now;
    message.againAt = now + ATTEMPT_MS;
    try {
      const { subject, payload, reply, headers } = message;
      this.connection.nats.publish(subject, payload, { reply, headers: headers.asNats() });
    } catch (error) {
      message.problem = (error as Error).message;
    }
  }

  private onAck(msg: Msg): void {
    const token = msg.subject.slice(this.inbox.length + 1);
    const message = this.inFlight.get(token);
    if (!message) return;
    const body = msg.data;
    if (body.length === 0) return this.onNoResponders(message);
    let ack: PubAck;
    try {
      ack = JSON.parse(decoder.decode(body)) as PubAck;
    } catch {
      return this.retrySoon(message, 'unreadable acknowledgement');
    }
    if (ack.error) return this.onRefusal(token, message, ack.error);
    // An isolated leader has been seen to answer a retry as a duplicate with sequence 0 without storing it.
    if (!ack.stream || !ack.seq) return this.retrySoon(message, 'acknowledged without a sequence');
    this.heard();
    this.settle(token);
    message.resolve({ stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate === true });
  }

  /** The first acknowledgement after a silence means that there is a leader again, so every message is sent again at once. */
  private heard(): void {
    const now = systemClock.monotonic();
    const silent = now - this.lastAckAt > RESEND_AFTER_SILENCE_MS;
    this.lastAckAt = now;
    if (silent) for (const message of this.inFlight.values()) message.againAt = now;
  }

  private onNoResponders(message: PendingPublish): void {
    const now = systemClock.monotonic();
    message.noStreamSince ??= now;
    const what = `no stream takes ${message.subject} at the moment`;
    if (now - message.noStreamSince >= NO_STREAM_MS) this.connection.reportMissing(what);
    this.retrySoon(message, what);
  }

  private onRefusal(token: string, message: PendingPublish, error: NonNullable<PubAck['error']>): void {
    message.full = error.err_code === STORE_FULL;
    // The broker answers, even if it refuses: the connection is sound.
    if (message.full) this.lastAckAt = systemClock.monotonic();
    if (error.code >= 500 || error.code === CONFLICT || message.full) return this.retrySoon(message, error.description);
    this.settle(token);
    message.reject(
      new TocsinError('internal', `The broker refused a message to ${message.subject}: ${error.description}`),
    );
  }

  private retrySoon(message: PendingPublish, problem: string): void {
    message.problem = problem;
    message.againAt = Math.min(message.againAt, systemClock.monotonic() + RETRY_MS);
  }

  private settle(token: string): void {
    this.inFlight.delete(token);
    for (const [next, message] of this.backlog) {
      this.backlog.delete(next);
      return this.launch(next, message);
    }
  }

  /** Runs the sweep while anything is in flight. At rest no timer runs. */
  private arm(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.inFlight.size === 0) return;
      this.sweep();
      this.arm();
    }, SWEEP_MS).unref();
  }

  private sweep(): void {
    const now = systemClock.monotonic();
    for (const [token, message] of this.backlog) {
      if (now < message.until) continue;
      this.backlog.delete(token);
      message.reject(neverSent(message));
    }
    for (const [token, message] of this.inFlight) {
      if (now >= message.until) {
        this.settle(token);
        message.reject(notAcknowledged(message));
      } else if (now >= message.againAt && this.connection.connected) {
        counters.publishRetries.add(1);
        this.send(message, now);
      }
    }
    if (now - this.lastAckAt > NO_ACK_MS) {
      void this.connection.leaveServer(`nothing was acknowledged for ${NO_ACK_MS} ms while publishes wait`);
    }
  }

  private sendAllAgain(): void {
    const now = systemClock.monotonic();
    this.lastAckAt = now;
    for (const message of this.inFlight.values()) this.send(message, now);
  }
}

function neverSent({ subject }: PendingPublish): TocsinError {
  return new TocsinError(
    'unavailable',
    `${subject} was not sent in time: ${MAX_IN_FLIGHT} others wait for their acknowledgement. Try again.`,
  );
}

function notAcknowledged(message: PendingPublish): TocsinError {
  const why = message.problem ?? 'no acknowledgement came';
  return message.full
    ? new TocsinError(
        'exhausted',
        `The stream that takes ${message.subject} is full. Its consumers are behind or down.`,
      )
    : new TocsinError(
        'unavailable',
        `${message.subject} was not acknowledged in time: ${why}. It may be stored; publish again with the same id.`,
      );
}
