import { systemClock, TocsinError } from '@tocsin/core';
import { Logger } from '@nestjs/common';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import { broadcastSubject, type RequestSpec } from './contract.ts';
import { withDeadline } from './deadline.ts';
import { OutgoingHeaders } from './headers.ts';
import { counters } from './metrics.ts';
import { HEADER } from './names.ts';
import { consuming } from './tracing.ts';
import { invalid, toWire } from './wire-error.ts';

const DEFAULT_CONCURRENCY = 256;
const MAX_QUEUED = 1_024;

/** What a request handler is told beside its input. */
export interface RequestContext {
  readonly kind: 'request';
  readonly subject: string;
  /** When the caller stops waiting, ms since the epoch. Questions asked meanwhile inherit it. */
  readonly deadline: number;
}

/** Answers one kind of request, shared with the other instances of the service, and its broadcast twin. */
export class Responder {
  private readonly subscriptions: Subscription[] = [];
  private readonly queue: Msg[] = [];
  private running = 0;
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

  /** Takes no more questions and answers those that arrived, at most until `until` (monotonic ms). */
  async drain(until: number): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([Promise.allSettled(this.subscriptions.map((subscription) => subscription.drain())), late]);
    while ((this.running > 0 || this.queue.length > 0) && systemClock.monotonic() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private receive(msg: Msg): void {
    if (this.running < this.concurrency) return void this.answer(msg);
    if (this.queue.length < MAX_QUEUED) return void this.queue.push(msg);
    // Another instance may have room: the caller asks again.
    this.reply(
      msg,
      new TocsinError('unavailable', `${this.spec.subject} is asked more than this instance can answer.`),
    );
  }

  private async answer(msg: Msg): Promise<void> {
    const deadline = Number(msg.headers?.get(HEADER.deadline)) || systemClock.now() + this.spec.timeoutMs;
    // Nobody waits for it any more: the work would be for nothing.
    if (systemClock.now() >= deadline) return counters.requestsDropped.add(1, { subject: this.spec.subject });
    this.running++;
    try {
      const ctx: RequestContext = { kind: 'request', subject: msg.subject, deadline };
      const run = (): Promise<unknown> => withDeadline(deadline, () => this.handle(this.parse(msg), ctx));
      this.reply(msg, undefined, await consuming(this.spec.subject, SpanKind.SERVER, msg.headers, async () => run()));
    } catch (error) {
      if (!(error instanceof TocsinError)) this.logger.error(error instanceof Error ? error.stack : String(error));
      this.reply(msg, error);
    } finally {
      this.running--;
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
    if (error === undefined) return void msg.respond(JSON.stringify(result ?? null));
    const wire = toWire(error);
    msg.respond(JSON.stringify(wire), { headers: new OutgoingHeaders().set(HEADER.error, wire.code).asNats() });
  }
}
