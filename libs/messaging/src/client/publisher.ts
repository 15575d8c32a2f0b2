import { systemClock, TocsinError } from '@tocsin/core';
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
const SILENCE_MS = 2_500;
const HUSH_MS = 1_000;
const RETRY_MS = 150;
/** An election takes longer; looking for the stream then is harmless. */
const HOMELESS_MS = 1_000;
const STORE_FULL = 10_077;
/** An earlier attempt is on its way through the replicas: the next one learns what became of it. */
const CONFLICT = 409;

export interface PublishOptions {
  id: string;
  headers?: Readonly<Record<string, string>> | undefined;
  timeoutMs?: number | undefined;
  /** A batch handler takes it at once, with what has gathered, and does not linger for more. */
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

interface InFlight {
  subject: string;
  payload: Uint8Array;
  headers: OutgoingHeaders;
  reply: string;
  until: number;
  againAt: number;
  sentAt: number;
  problem: string | undefined;
  /** Since when no stream takes it. */
  homelessSince: number | undefined;
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
  private readonly inFlight = new Map<string, InFlight>();
  /** Not sent yet: as many as may be in flight are. */
  private readonly backlog = new Map<string, InFlight>();
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

  /** As `Messaging.publish`, with headers that already carry the trace context, and perhaps a payload that was made before. */
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
      const message: InFlight = {
        subject,
        payload,
        headers,
        reply: `${this.inbox}.${token}`,
        until: now + (o.timeoutMs ?? DEFAULT_TIMEOUT_MS),
        againAt: now + ATTEMPT_MS,
        sentAt: now,
        problem: undefined,
        homelessSince: undefined,
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
    while (this.waiting > 0 && systemClock.monotonic() < until) await new Promise((resolve) => setTimeout(resolve, 10));
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

  private launch(token: string, message: InFlight): void {
    const now = systemClock.monotonic();
    // Nothing waited until now, so silence counts from here.
    if (this.inFlight.size === 0) this.lastAckAt = now;
    this.inFlight.set(token, message);
    this.arm();
    this.send(message, now);
  }

  private send(message: InFlight, now: number): void {
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
    if (body.length === 0) return this.onNobody(message);
    let ack: PubAck;
    try {
      ack = JSON.parse(decoder.decode(body)) as PubAck;
    } catch {
      return this.later(message, 'unreadable acknowledgement');
    }
    if (ack.error) return this.onRefusal(token, message, ack.error);
    // An isolated leader has been seen to answer a retry as a duplicate with sequence 0 without storing it.
    if (!ack.stream || !ack.seq) return this.later(message, 'acknowledged without a sequence');
    this.heard();
    this.settle(token);
    message.resolve({ stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate === true });
  }

  /** The first acknowledgement after a silence: there is a leader again, and what was sent to none need not wait. */
  private heard(): void {
    const now = systemClock.monotonic();
    const silent = now - this.lastAckAt > HUSH_MS;
    this.lastAckAt = now;
    if (silent) for (const message of this.inFlight.values()) message.againAt = now;
  }

  private onNobody(message: InFlight): void {
    const now = systemClock.monotonic();
    message.homelessSince ??= now;
    const what = `no stream takes ${message.subject} at the moment`;
    if (now - message.homelessSince >= HOMELESS_MS) this.connection.missing(what);
    this.later(message, what);
  }

  private onRefusal(token: string, message: InFlight, error: NonNullable<PubAck['error']>): void {
    message.full = error.err_code === STORE_FULL;
    // It answers, if only to refuse: the connection is sound.
    if (message.full) this.lastAckAt = systemClock.monotonic();
    if (error.code >= 500 || error.code === CONFLICT || message.full) return this.later(message, error.description);
    this.settle(token);
    message.reject(
      new TocsinError('internal', `The broker refused a message to ${message.subject}: ${error.description}`),
    );
  }

  private later(message: InFlight, problem: string): void {
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

  /** Looks after what is in flight for as long as anything is: at rest nothing ticks. */
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
        message.reject(gaveUp(message));
      } else if (now >= message.againAt && this.connection.connected) {
        counters.publishRetries.add(1);
        this.send(message, now);
      }
    }
    if (now - this.lastAckAt > SILENCE_MS) {
      void this.connection.force(`nothing was acknowledged for ${SILENCE_MS} ms while publishes wait`);
    }
  }

  private sendAllAgain(): void {
    const now = systemClock.monotonic();
    this.lastAckAt = now;
    for (const message of this.inFlight.values()) this.send(message, now);
  }
}

function neverSent({ subject }: InFlight): TocsinError {
  return new TocsinError(
    'unavailable',
    `${subject} was not sent in time: ${MAX_IN_FLIGHT} others wait for their acknowledgement. Try again.`,
  );
}

function gaveUp(message: InFlight): TocsinError {
  const why = message.problem ?? 'no acknowledgement came';
  return message.full
    ? new TocsinError(
        'exhausted',
        `The stream that takes ${message.subject} is full. Its consumers are behind or away.`,
      )
    : new TocsinError(
        'unavailable',
        `${message.subject} was not acknowledged in time: ${why}. It may be stored; publish again with the same id.`,
      );
}
