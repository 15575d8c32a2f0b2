import { sleep, systemClock, TocsinError, withDeadline, within } from '@tocsin/core';
import { Logger } from '@nestjs/common';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from '../client/connection.ts';
import { broadcastSubject, type RequestSpec } from '../contract.ts';
import { OutgoingHeaders } from '../wire/headers.ts';
import { counters } from '../wire/metrics.ts';
import { HEADER } from '../wire/names.ts';
import { consuming } from '../wire/tracing.ts';
import { invalid, toWire } from '../wire/wire-error.ts';

const DEFAULT_CONCURRENCY = 256;
const MAX_QUEUED = 1_024;

/** What a request handler receives with its input. */
export interface RequestContext {
  readonly kind: 'request';
  readonly subject: string;
  /** When the caller stops waiting, ms since the epoch. Requests sent meanwhile inherit it. */
  readonly deadline: number;
}

/** Answers one kind of request, shared with the other instances of the service, and its broadcast twin. */
export class Responder {
  private readonly subscriptions: Subscription[] = [];
  private readonly queue: Msg[] = [];
  private running = 0;
  /** The reply addresses of the requests in progress. A repetition by an impatient caller has the same one, and is ignored. */
  private readonly inProgress = new Set<string>();
  private lastDeadline = 0;
  private readonly logger: Logger;

  constructor(
    private readonly connection: Connection,
    private readonly spec: RequestSpec,
    private readonly handle: (input: unknown, ctx: RequestContext) => Promise<unknown>,
    private readonly concurrency = DEFAULT_CONCURRENCY,
  ) {
    this.logger = new Logger(spec.subject);
  }

  start(): void {
    const callback = (error: Error | null, msg: Msg): void => {
      if (!error) this.receive(msg);
    };
    const { nats, options } = this.connection;
    this.subscriptions.push(
      nats.subscribe(this.spec.subject, { queue: options.service, callback }),
      nats.subscribe(broadcastSubject(this.spec.subject), { callback }),
    );
  }

  /** Takes no more requests and answers those that have arrived, at most until `until` (monotonic ms). */
  async drain(until: number): Promise<void> {
    const drained = Promise.allSettled(this.subscriptions.map((subscription) => subscription.drain()));
    await within(drained, 1_000, () => undefined);
    const isWaitedFor = (): boolean => this.inProgress.size > 0 && systemClock.now() < this.lastDeadline;
    while (isWaitedFor() && systemClock.monotonic() < until) {
      await sleep(5);
    }
  }

  private receive(msg: Msg): void {
    const reply = msg.reply ?? '';
    if (this.inProgress.has(reply)) return;
    if (this.queue.length < MAX_QUEUED) {
      this.inProgress.add(reply);
      if (this.running < this.concurrency) void this.answer(msg);
      else this.queue.push(msg);
      return;
    }
    // Another instance may have room, and the caller tries again.
    this.reply(
      msg,
      new TocsinError('unavailable', `This instance has more requests of ${this.spec.subject} than it can answer.`),
    );
  }

  private async answer(msg: Msg): Promise<void> {
    const deadline = Number(msg.headers?.get(HEADER.deadline)) || systemClock.now() + this.spec.timeoutMs;
    this.running++;
    this.lastDeadline = Math.max(this.lastDeadline, deadline);
    try {
      if (systemClock.now() >= deadline) return counters.requestsDropped.add(1, { subject: this.spec.subject });
      const ctx: RequestContext = { kind: 'request', subject: msg.subject, deadline };
      const run = (): Promise<unknown> => withDeadline(deadline, () => this.handle(this.parse(msg), ctx));
      this.reply(msg, undefined, await consuming(this.spec.subject, SpanKind.SERVER, msg.headers, async () => run()));
    } catch (error) {
      if (!(error instanceof TocsinError)) this.logger.error(error instanceof Error ? error.stack : String(error));
      this.reply(msg, error);
    } finally {
      this.running--;
      this.inProgress.delete(msg.reply ?? '');
      const next = this.queue.shift();
      if (next) void this.answer(next);
    }
  }

  private parse(msg: Msg): unknown {
    try {
      return this.spec.input.parse(msg.json());
    } catch (cause) {
      throw invalid('The request', cause);
    }
  }

  private reply(msg: Msg, error: unknown, result?: unknown): void {
    // The connection is gone: the caller tries another instance.
    if (this.connection.nats.isClosed()) return;
    if (error === undefined) {
      const answer = JSON.stringify(result ?? null);
      if (Buffer.byteLength(answer) <= this.connection.largestPayload) return void msg.respond(answer);
      error = new TocsinError('too_large', `The answer to ${this.spec.subject} is too large. Ask for less at once.`);
    }
    const wire = toWire(error);
    msg.respond(JSON.stringify(wire), { headers: new OutgoingHeaders().set(HEADER.error, wire.code).asNats() });
  }
}
