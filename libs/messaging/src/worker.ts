import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from './connection.ts';
import type { ConsumerSpec, HandlerOptions } from './contract.ts';
import type { DeadLetters } from './dead-letters.ts';
import { ReceivedDelivery } from './delivery.ts';
import { HandBack } from './hand-back.ts';
import { counters } from './metrics.ts';
import { Pull } from './pull.ts';
import { ack, decide, nak, type Outcome, term, Unparsable, type Verdict, working } from './settlement.ts';
import { consuming, consumingBatch } from './tracing.ts';

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_LINGER_MS = 5;
const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_REMEMBERED = 10_000;
const DEAD_LETTER_RETRY_MS = 1_000;

/** What a worker runs, and how. */
export interface Work {
  spec: ConsumerSpec;
  kind: 'event' | 'command';
  options: HandlerOptions;
  /** Finds the schema and the handler of one delivery. */
  parse(delivery: ReceivedDelivery): unknown;
  handle(data: unknown, delivery: ReceivedDelivery): Promise<unknown>;
  /** Told the end of every single delivery, for answering commands. */
  ended?(delivery: ReceivedDelivery, verdict: Verdict, outcome: Outcome & { result?: unknown }): void;
}

/** Takes the deliveries of one durable, runs its handler within the bound, and settles each by `settlement.ts`. */
export class Worker {
  private readonly pull: Pull;
  private readonly queue: ReceivedDelivery[] = [];
  private readonly held = new Set<ReceivedDelivery>();
  private readonly failures = new Map<number, number>();
  private readonly concurrency: number;
  private readonly batch: number | undefined;
  private readonly timeoutMs: number;
  private running = 0;
  private linger: NodeJS.Timeout | undefined;
  private extend: NodeJS.Timeout | undefined;
  private draining = false;
  private readonly logger: Logger;
  private readonly attributes: Record<'ack' | 'nak' | 'dead', { durable: string; outcome: string }>;

  constructor(
    connection: Connection,
    private readonly deadLetters: DeadLetters,
    private readonly work: Work,
  ) {
    const { durable, stream } = work.spec;
    this.batch = work.options.batch;
    this.concurrency = work.options.concurrency ?? (this.batch ? 1 : DEFAULT_CONCURRENCY);
    this.timeoutMs = work.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // Batches keep one batch ahead, so that the next is complete when the last one is done.
    const capacity = this.batch ? this.batch * (this.concurrency + 1) : this.concurrency;
    this.pull = new Pull(connection, { stream, durable }, capacity, (msg) => this.receive(msg));
    this.logger = new Logger(durable);
    this.attributes = {
      ack: { durable, outcome: 'ack' },
      nak: { durable, outcome: 'nak' },
      dead: { durable, outcome: 'dead' },
    };
  }

  start(): void {
    this.pull.start();
    this.extend = setInterval(() => this.extendAcks(), Math.max(50, this.work.spec.ackWaitMs / 6));
    this.extend.unref();
  }

  /** Hands back at once what has not begun, then waits for what has, at most until `until` (monotonic ms). */
  async drain(until: number): Promise<void> {
    this.draining = true;
    this.handBackQueue();
    await this.pull.stop();
    this.handBackQueue();
    while (this.held.size > 0 && systemClock.monotonic() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
    for (const delivery of this.held) {
      delivery.abort();
      nak(delivery.msg, 0);
    }
    this.held.clear();
    clearInterval(this.extend);
  }

  private handBackQueue(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    for (const delivery of this.queue.splice(0)) {
      this.held.delete(delivery);
      nak(delivery.msg, 0);
    }
  }

  private receive(msg: Msg): void {
    if (this.draining) return nak(msg, 0);
    const delivery = new ReceivedDelivery(msg, systemClock.monotonic());
    this.held.add(delivery);
    this.queue.push(delivery);
    this.next();
  }

  private next(): void {
    if (this.batch === undefined) {
      while (this.running < this.concurrency && this.queue.length > 0) void this.runOne(this.queue.shift()!);
      return;
    }
    while (this.running < this.concurrency && this.queue.length >= this.batch) this.takeBatch();
    if (this.running >= this.concurrency || this.queue.length === 0 || this.linger) return;
    this.linger = setTimeout(() => {
      this.linger = undefined;
      if (this.running < this.concurrency && this.queue.length > 0) this.takeBatch();
    }, this.work.options.lingerMs ?? DEFAULT_LINGER_MS);
  }

  private takeBatch(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    void this.runBatch(this.queue.splice(0, this.batch));
  }

  private async runOne(delivery: ReceivedDelivery): Promise<void> {
    this.running++;
    try {
      await this.attempt(delivery, (data) => this.work.handle(data, delivery));
    } finally {
      this.running--;
      this.release([delivery]);
    }
  }

  /** Parses and handles one delivery in its own trace, and settles it. */
  private async attempt(delivery: ReceivedDelivery, handle: (data: unknown) => Promise<unknown>): Promise<void> {
    let outcome: Outcome & { result?: unknown };
    try {
      this.parse(delivery);
      delivery.startedAt = systemClock.monotonic();
      const { durable } = this.work.spec;
      const run = () => handle(delivery.data);
      outcome = { ok: true, result: await consuming(durable, SpanKind.CONSUMER, delivery.msg.headers, run) };
    } catch (error) {
      outcome = { ok: false, error };
    }
    await this.settle(delivery, outcome);
  }

  private parse(delivery: ReceivedDelivery): void {
    try {
      delivery.data = this.work.parse(delivery);
    } catch (cause) {
      throw new Unparsable(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  private async runBatch(batch: ReceivedDelivery[]): Promise<void> {
    this.running++;
    try {
      const parsed: ReceivedDelivery[] = [];
      for (const delivery of batch) {
        try {
          this.parse(delivery);
          delivery.startedAt = systemClock.monotonic();
          parsed.push(delivery);
        } catch (error) {
          await this.settle(delivery, { ok: false, error });
        }
      }
      if (parsed.length > 0) await this.handleBatch(parsed);
    } finally {
      this.running--;
      this.release(batch);
    }
  }

  /** A batch that fails for a reason of its own is tried again one by one, so that one poison does not drown the rest. */
  private async handleBatch(batch: ReceivedDelivery[]): Promise<void> {
    const headers = batch.map((delivery) => delivery.msg.headers);
    let outcome: Outcome;
    try {
      await consumingBatch(this.work.spec.durable, headers, () => this.work.handle(batch, batch[0]!));
      outcome = { ok: true };
    } catch (error) {
      outcome = { ok: false, error };
    }
    const blameless = outcome.ok || outcome.error instanceof HandBack || batch.length === 1;
    if (blameless) {
      for (const delivery of batch) {
        const burial = this.settle(delivery, outcome);
        if (burial) await burial;
      }
      return;
    }
    for (const delivery of batch) {
      if (this.draining) nak(delivery.msg, 0);
      else await this.attempt(delivery, () => this.work.handle([delivery], delivery));
    }
  }

  private settle(delivery: ReceivedDelivery, outcome: Outcome & { result?: unknown }): Promise<void> | undefined {
    const { spec, kind } = this.work;
    const failures = outcome.ok ? 0 : this.countFailure(delivery, outcome.error);
    const { maxDeliver, backoffMs } = spec;
    const verdict = decide(outcome, { kind, deliveries: delivery.deliveries, failures, maxDeliver, backoffMs });
    counters.deliveries.add(1, this.attributes[verdict.act]);
    // Drained past the bound: it was handed back already, and whatever it came to is no longer ours to say.
    if (!this.held.has(delivery)) return;
    if (verdict.act === 'dead') return this.bury(delivery, verdict, outcome);
    if (verdict.act === 'ack') ack(delivery.msg);
    else {
      nak(delivery.msg, verdict.delayMs);
      if (!outcome.ok) this.report(delivery, verdict, outcome.error);
    }
    if (verdict.act === 'ack') this.failures.delete(delivery.sequence);
    this.work.ended?.(delivery, verdict, outcome);
  }

  private async bury(delivery: ReceivedDelivery, verdict: Verdict & { act: 'dead' }, outcome: Outcome): Promise<void> {
    const { stream, durable } = this.work.spec;
    try {
      await this.deadLetters.add(delivery, {
        stream,
        durable,
        code: verdict.code,
        reason: verdict.reason,
        message: verdict.message,
      });
      term(delivery.msg, verdict.reason);
      this.failures.delete(delivery.sequence);
      this.logger.error(
        `dead letter: ${stream} ${delivery.sequence} (${delivery.subject}), ${verdict.reason}: ${verdict.message}`,
      );
      this.work.ended?.(delivery, verdict, outcome);
    } catch (error) {
      // It stays in its stream until its dead letter is safe.
      nak(delivery.msg, DEAD_LETTER_RETRY_MS);
      this.logger.error(`no dead letter for ${stream} ${delivery.sequence} yet: ${(error as Error).message}`);
    }
  }

  private report(delivery: ReceivedDelivery, verdict: Verdict & { act: 'nak' }, error: unknown): void {
    const what = `${delivery.subject} (${delivery.sequence}, delivery ${delivery.deliveries}) again in ${verdict.delayMs} ms`;
    if (verdict.reason === 'failed')
      this.logger.error(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
    else this.logger.debug(`${what}: ${(error as Error).message}`);
  }

  private countFailure(delivery: ReceivedDelivery, error: unknown): number {
    if (error instanceof HandBack) return 0;
    const failures = (this.failures.get(delivery.sequence) ?? 0) + 1;
    this.failures.delete(delivery.sequence);
    this.failures.set(delivery.sequence, failures);
    if (this.failures.size > MAX_REMEMBERED) this.failures.delete(this.failures.keys().next().value!);
    return failures;
  }

  private release(deliveries: readonly ReceivedDelivery[]): void {
    for (const delivery of deliveries) this.held.delete(delivery);
    this.pull.done(deliveries.length);
    this.next();
  }

  private extendAcks(): void {
    const now = systemClock.monotonic();
    const third = this.work.spec.ackWaitMs / 3;
    for (const delivery of this.held) {
      if (delivery.startedAt !== undefined && now - delivery.startedAt > this.timeoutMs) delivery.abort();
      else if (now - delivery.touchedAt >= third) {
        delivery.touchedAt = now;
        working(delivery.msg);
      }
    }
  }
}
