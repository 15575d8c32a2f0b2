import { systemClock, TocsinError } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import { Logger } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from '../client/connection.ts';
import type { DeadLetters } from './dead-letters.ts';
import { ReceivedDelivery } from './delivery.ts';
import { FailureCounter } from './failure-counter.ts';
import { HandBack } from './hand-back.ts';
import { OutageBackoff } from './outage-backoff.ts';
import { HEADER } from '../wire/names.ts';
import { Pull } from './pull.ts';
import type { ExclusiveSlot } from './exclusive-slot.ts';
import {
  afterCrashes,
  type HandlerOutcome,
  isOutage,
  nak,
  UnparsablePayload,
  UnprovenCommand,
  working,
} from './settlement.ts';
import { Settler } from './settler.ts';
import { CrashGuard, suspectsBucket } from './crash-guard.ts';
import { consuming, consumingBatch } from '../wire/tracing.ts';
import type { ConsumerDefinition } from './consumer-definition.ts';

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_LINGER_MS = 5;
const DEFAULT_TIMEOUT_MS = 120_000;
const UNMARKED_RETRY_MS = 1_000;
const BUSY_RETRY_MS = 10_000;

/** Takes the deliveries of one durable, runs its handler within the bound, and settles each by `settlement.ts`. */
export class Worker {
  private readonly pull: Pull;
  private readonly queue: ReceivedDelivery[] = [];
  private readonly held = new Set<ReceivedDelivery>();
  private readonly concurrency: number;
  private readonly batch: number | undefined;
  private readonly timeoutMs: number;
  private running = 0;
  /** Something waits in the queue that must not linger. */
  private urgent = false;
  private linger: NodeJS.Timeout | undefined;
  private extend: NodeJS.Timeout | undefined;
  private draining = false;
  private readonly settler: Settler;
  private readonly guard: CrashGuard;
  /** Handed back because nothing here came to an end. Their room is kept until something does, or they would come here again. */
  private givenAway = 0;
  /** Accused by the mark of a process that ended: waiting to be handled alone. */
  private readonly isolated: ReceivedDelivery[] = [];
  private isolating = false;
  private readonly backoff = new OutageBackoff(() => this.next());
  private readonly logger: Logger;

  constructor(
    connection: Connection,
    deadLetters: DeadLetters,
    private readonly definition: ConsumerDefinition,
    private readonly slot: ExclusiveSlot,
  ) {
    const { durable, stream } = definition.spec;
    this.batch = definition.options.batch;
    this.concurrency = definition.options.concurrency ?? (this.batch ? 1 : DEFAULT_CONCURRENCY);
    this.timeoutMs = definition.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // Batches keep one batch ahead, so that the next is complete when the last one is done.
    const capacity = this.batch ? this.batch * (this.concurrency + 1) : this.concurrency;
    this.pull = new Pull(connection, { stream, durable }, capacity, (msg) => this.receive(msg));
    const marks = suspectsBucket(connection);
    this.settler = new Settler(deadLetters, new FailureCounter(marks, definition.spec), definition);
    this.guard = new CrashGuard(marks, definition.spec);
    this.logger = new Logger(durable);
    slot.onReleased(() => this.next());
  }

  start(): void {
    this.pull.start();
    this.extend = setInterval(() => this.extendAcks(), Math.max(50, this.definition.spec.ackWaitMs / 6));
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
      // It is a stop and no death; the last of the connection's flushes carries it.
      void this.unmark(delivery);
    }
    this.held.clear();
    clearInterval(this.extend);
  }

  private handBackQueue(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    for (const delivery of [...this.queue.splice(0), ...this.isolated.splice(0)]) {
      this.held.delete(delivery);
      nak(delivery.msg, 0);
    }
  }

  private receive(msg: Msg): void {
    if (this.draining) return nak(msg, 0);
    const delivery = new ReceivedDelivery(msg, systemClock.monotonic());
    this.held.add(delivery);
    this.queue.push(delivery);
    if (this.batch !== undefined && msg.headers?.has(HEADER.urgent)) this.urgent = true;
    this.next();
  }

  private get mayBegin(): boolean {
    return !this.slot.isClaimed && !this.backoff.isPaused;
  }

  private next(): void {
    if (!this.mayBegin) return;
    if (this.batch === undefined) {
      while (this.running < this.concurrency && this.queue.length > 0) void this.runOne(this.queue.shift()!);
      return;
    }
    while (this.running < this.concurrency && (this.queue.length >= this.batch || this.urgent)) this.takeBatch();
    if (this.running >= this.concurrency || this.queue.length === 0 || this.linger) return;
    this.linger = setTimeout(() => {
      this.linger = undefined;
      if (this.running < this.concurrency && this.queue.length > 0 && this.mayBegin) this.takeBatch();
    }, this.definition.options.lingerMs ?? DEFAULT_LINGER_MS);
  }

  private takeBatch(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    const batch = this.queue.splice(0, this.batch);
    if (this.queue.length === 0) this.urgent = false;
    void this.runBatch(batch);
  }

  private runOne(delivery: ReceivedDelivery): Promise<void> {
    return this.atWork([delivery], () => this.attempt(delivery, (data) => this.definition.handle(data, delivery)));
  }

  /** Handles what may be handled beside others; what a mark accuses goes its own way. */
  private async atWork(
    taken: ReceivedDelivery[],
    handle: (deliveries: ReceivedDelivery[]) => Promise<void>,
  ): Promise<void> {
    this.running++;
    this.slot.enter();
    let mine = taken;
    try {
      const suspects = taken.filter((delivery) => this.guard.isSuspect(delivery));
      if (suspects.length > 0) mine = await this.screen(taken, suspects);
      if (mine.length > 0) await handle(mine);
      if (suspects.length > 0) await Promise.all(mine.map((delivery) => this.unmark(delivery)));
    } finally {
      this.running--;
      this.slot.leave();
      this.release(mine);
    }
  }

  /** Marks the suspects among what was taken, and leaves out those that are accused or can't be marked. */
  private async screen(taken: ReceivedDelivery[], suspects: ReceivedDelivery[]): Promise<ReceivedDelivery[]> {
    const mine = new Set(taken);
    const screenOne = async (suspect: ReceivedDelivery): Promise<void> => {
      try {
        if (await this.guard.markShared(suspect)) return;
        this.isolated.push(suspect);
        mine.delete(suspect);
      } catch (error) {
        mine.delete(suspect);
        this.postpone(suspect, error);
        this.release([suspect]);
      }
    };
    await Promise.all(suspects.map(screenOne));
    void this.runIsolated();
    // Drained past the bound meanwhile: handed back already.
    return [...mine].filter((delivery) => this.held.has(delivery));
  }

  private async runIsolated(): Promise<void> {
    if (this.isolating) return;
    this.isolating = true;
    for (let accused = this.isolated.shift(); accused; accused = this.isolated.shift()) await this.runAlone(accused);
    this.isolating = false;
  }

  private async runAlone(accused: ReceivedDelivery): Promise<void> {
    const lapse = (): void => {
      this.guard.demoteToShared(accused).catch((error: unknown) => this.warn(accused, error));
    };
    try {
      const alone = await this.slot.runExclusively(() => this.handleAlone(accused), lapse);
      if (alone) return;
      nak(accused.msg, BUSY_RETRY_MS);
      this.logger.warn(`${accused.subject} (${accused.sequence}) must be handled alone, and others are at work: later`);
    } catch (error) {
      this.postpone(accused, error);
    } finally {
      this.release([accused]);
    }
  }

  private async handleAlone(accused: ReceivedDelivery): Promise<void> {
    if (this.draining) return nak(accused.msg, 0);
    if (!(await this.guard.markExclusive(accused))) {
      const settlement = afterCrashes(accused);
      const error = new TocsinError('internal', settlement.message);
      return this.settler.moveToDeadLetters(accused, settlement, { ok: false, error });
    }
    const data = (parsed: unknown): unknown => (this.batch === undefined ? parsed : [accused]);
    await this.attempt(accused, (parsed) => this.definition.handle(data(parsed), accused));
    await this.unmark(accused);
  }

  /** Its mark can't be read or written: later. */
  private postpone(suspect: ReceivedDelivery, error: unknown): void {
    nak(suspect.msg, UNMARKED_RETRY_MS);
    this.warn(suspect, error);
  }

  private async unmark(suspect: ReceivedDelivery): Promise<void> {
    try {
      await this.guard.unmark(suspect);
    } catch (error) {
      this.warn(suspect, error);
    }
  }

  private warn({ subject, sequence }: ReceivedDelivery, error: unknown): void {
    this.logger.warn(`${subject} (${sequence}) can't be marked, or its mark removed: ${(error as Error).message}`);
  }

  /** Parses and handles one delivery in its own trace, and settles it. */
  private async attempt(delivery: ReceivedDelivery, handle: (data: unknown) => Promise<unknown>): Promise<void> {
    let outcome: HandlerOutcome;
    try {
      this.parse(delivery);
      delivery.startedAt = systemClock.monotonic();
      const { durable } = this.definition.spec;
      const run = () => handle(delivery.data);
      outcome = { ok: true, result: await consuming(durable, SpanKind.CONSUMER, delivery.msg.headers, run) };
    } catch (error) {
      outcome = { ok: false, error };
    }
    this.noteDependencies(outcome);
    await this.settle(delivery, outcome);
  }

  private noteDependencies(outcome: HandlerOutcome): void {
    if (isOutage(outcome)) this.backoff.dependencyFailed();
    else this.backoff.dependencyAnswered();
  }

  private parse(delivery: ReceivedDelivery): void {
    try {
      delivery.data = this.definition.parse(delivery);
    } catch (cause) {
      if (cause instanceof UnprovenCommand) throw cause;
      throw new UnparsablePayload(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  private runBatch(batch: ReceivedDelivery[]): Promise<void> {
    return this.atWork(batch, (deliveries) => this.handleParsed(deliveries));
  }

  private async handleParsed(batch: ReceivedDelivery[]): Promise<void> {
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
  }

  /** A batch that fails for a reason of its own is tried again one by one, so that one poison does not drown the rest. */
  private async handleBatch(batch: ReceivedDelivery[]): Promise<void> {
    const headers = batch.map((delivery) => delivery.msg.headers);
    let outcome: HandlerOutcome;
    try {
      await consumingBatch(this.definition.spec.durable, headers, () => this.definition.handle(batch, batch[0]!));
      outcome = { ok: true };
    } catch (error) {
      outcome = { ok: false, error };
    }
    this.noteDependencies(outcome);
    // Trying each alone would only ask as often for what is away.
    if (outcome.ok || batch.length === 1 || isOutage(outcome) || outcome.error instanceof HandBack) {
      for (const delivery of batch) {
        const burial = this.settle(delivery, outcome);
        if (burial) await burial;
      }
      return;
    }
    for (const delivery of batch) {
      if (this.draining) nak(delivery.msg, 0);
      else await this.attempt(delivery, () => this.definition.handle([delivery], delivery));
    }
  }

  private settle(delivery: ReceivedDelivery, outcome: HandlerOutcome): Promise<void> | undefined {
    if (!outcome.ok) this.guard.rememberFailure(delivery);
    // Drained past the bound: it was handed back already, and whatever it came to is no longer ours to say.
    const isOurs = (): boolean => this.held.has(delivery);
    return isOurs() ? this.settler.settle(delivery, outcome, isOurs) : undefined;
  }

  private release(deliveries: readonly ReceivedDelivery[]): void {
    for (const delivery of deliveries) this.held.delete(delivery);
    this.pull.done(deliveries.length + this.givenAway);
    this.givenAway = 0;
    this.next();
  }

  /** What waits here behind a handler that hangs is for another instance. */
  private giveAway(waiting: ReceivedDelivery[], now: number): void {
    for (let first = waiting[0]; first && now - first.receivedAt > this.timeoutMs; first = waiting[0]) {
      waiting.shift();
      this.held.delete(first);
      this.givenAway++;
      nak(first.msg, 0);
    }
  }

  private extendAcks(): void {
    const now = systemClock.monotonic();
    this.giveAway(this.queue, now);
    this.giveAway(this.isolated, now);
    const third = this.definition.spec.ackWaitMs / 3;
    for (const delivery of this.held) {
      if (delivery.startedAt !== undefined && now - delivery.startedAt > this.timeoutMs) delivery.abort();
      else if (now - delivery.touchedAt >= third) {
        delivery.touchedAt = now;
        working(delivery.msg);
      }
    }
  }
}
