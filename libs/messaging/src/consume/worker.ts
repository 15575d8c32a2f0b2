import { sleep, systemClock, TocsinError } from '@tocsin/core';
import type { Msg } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import type { Connection } from '../client/connection.ts';
import { consuming, consumingBatch } from '../wire/tracing.ts';
import { AckExtender } from './ack-extender.ts';
import { BatchQueue } from './batch-queue.ts';
import type { ConsumerDefinition } from './consumer-definition.ts';
import { CrashGuard, type GuardedWorker } from './crash-guard.ts';
import { CrashMarks, suspectsBucket } from './crash-marks.ts';
import type { DeadLetters } from './dead-letters.ts';
import { ReceivedDelivery } from './delivery.ts';
import type { ExclusiveSlot } from './exclusive-slot.ts';
import { FailureCounter } from './failure-counter.ts';
import { HandBack } from './hand-back.ts';
import { OutageBackoff } from './outage-backoff.ts';
import { Pull } from './pull.ts';
import { afterCrashes, type HandlerOutcome, isOutage, nak, UnparsablePayload, UnprovenCommand } from './settlement.ts';
import { Settler } from './settler.ts';

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_TIMEOUT_MS = 120_000;

/**
 * Takes the deliveries of one durable, runs its handler within the bound, and settles each delivery.
 *
 * A delivery goes through these states. The worker holds it, and its ack wait is extended, until it is settled:
 *
 * ```text
 * broker ──Pull──▶ waiting ──▶ running ──────────▶ settled ──▶ its room is free (Pull.done)
 *                 BatchQueue   │   ▲   handler      Settler
 *                    │ suspect ▼   │ alone
 *                    │        accused
 *                    │       CrashGuard
 *                    └── drain, or behind a stuck handler ──▶ returned (nak)
 * ```
 *
 * The worker begins nothing new while the `ExclusiveSlot` is claimed, and during the pauses of its `OutageBackoff`. Once it
 * drains, it returns what waits, and waits for what runs.
 */
export class Worker implements GuardedWorker {
  private readonly pull: Pull;
  private readonly queue: BatchQueue;
  private readonly held = new Set<ReceivedDelivery>();
  private readonly acks: AckExtender;
  private readonly guard: CrashGuard;
  private readonly settler: Settler;
  private readonly backoff = new OutageBackoff(() => this.next());
  private readonly batch: number | undefined;
  private readonly concurrency: number;
  private running = 0;
  /**
   * Deliveries returned because every handler is stuck. Their room stays reserved until one ends, otherwise the broker would
   * send them straight back.
   */
  private returned = 0;
  private draining = false;

  constructor(
    connection: Connection,
    deadLetters: DeadLetters,
    private readonly definition: ConsumerDefinition,
    private readonly slot: ExclusiveSlot,
  ) {
    const { options, spec } = definition;
    const { batch, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.batch = batch;
    this.concurrency = options.concurrency ?? (batch ? 1 : DEFAULT_CONCURRENCY);
    // Batches keep one batch ahead, so that the next is complete when the last one is done.
    const capacity = batch ? batch * (this.concurrency + 1) : this.concurrency;
    this.pull = new Pull(connection, spec, capacity, (msg) => this.receive(msg));
    this.queue = new BatchQueue(options, () => this.next());
    const bucket = suspectsBucket(connection);
    this.settler = new Settler(deadLetters, new FailureCounter(bucket, spec), definition);
    this.guard = new CrashGuard(new CrashMarks(bucket, spec), slot, this, spec.durable);
    const limits = { ackWaitMs: spec.ackWaitMs, timeoutMs };
    this.acks = new AckExtender(this.held, limits, (before) => this.returnStuck(before));
    slot.onReleased(() => this.next());
  }

  start(): void {
    this.pull.start();
    this.acks.start();
  }

  /** Returns at once what has not begun, then waits for what has, at most until `until` (monotonic ms). */
  async drain(until: number): Promise<void> {
    this.draining = true;
    this.returnWaiting();
    await this.pull.stop();
    this.returnWaiting();
    while (this.held.size > 0 && systemClock.monotonic() < until) await sleep(10);
    for (const delivery of this.held) {
      delivery.abort();
      nak(delivery.msg, 0);
    }
    // This is a stop and no crash. The last flush of the connection carries it.
    void this.guard.unmark([...this.held]);
    this.held.clear();
    this.acks.stop();
  }

  get isDraining(): boolean {
    return this.draining;
  }

  holds(delivery: ReceivedDelivery): boolean {
    return this.held.has(delivery);
  }

  async handleAlone(delivery: ReceivedDelivery): Promise<void> {
    await this.attempt(delivery, (parsed) =>
      this.definition.handle(this.batch === undefined ? parsed : [delivery], delivery),
    );
  }

  async giveUp(delivery: ReceivedDelivery): Promise<void> {
    const settlement = afterCrashes(delivery);
    const error = new TocsinError('internal', settlement.message);
    await this.settler.moveToDeadLetters(delivery, settlement, { ok: false, error });
  }

  release(deliveries: readonly ReceivedDelivery[]): void {
    for (const delivery of deliveries) this.held.delete(delivery);
    this.pull.done(deliveries.length + this.returned);
    this.returned = 0;
    this.next();
  }

  private receive(msg: Msg): void {
    if (this.draining) return nak(msg, 0);
    const delivery = new ReceivedDelivery(msg, systemClock.monotonic());
    this.held.add(delivery);
    this.queue.add(delivery);
    this.next();
  }

  private next(): void {
    while (this.running < this.concurrency && !this.slot.isClaimed && !this.backoff.isPaused) {
      const taken = this.queue.take();
      if (!taken) return;
      void this.run(taken);
    }
  }

  private async run(taken: ReceivedDelivery[]): Promise<void> {
    this.running++;
    this.slot.enter();
    let admitted = taken;
    try {
      admitted = await this.guard.admit(taken);
      if (admitted.length > 0) await this.handle(admitted);
      await this.guard.unmark(admitted);
    } finally {
      this.running--;
      this.slot.leave();
      this.release(admitted);
    }
  }

  private async handle(deliveries: ReceivedDelivery[]): Promise<void> {
    const first = deliveries[0]!;
    if (this.batch === undefined) return this.attempt(first, (data) => this.definition.handle(data, first));
    const parsed: ReceivedDelivery[] = [];
    for (const delivery of deliveries) {
      try {
        this.parse(delivery);
        parsed.push(delivery);
      } catch (error) {
        await this.settle(delivery, { ok: false, error });
      }
    }
    if (parsed.length > 0) await this.handleBatch(parsed);
  }

  /** Tries a batch that fails for a reason of its own again one by one, so that one poison message does not drown the rest. */
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
    // In an outage each of them would only fail again.
    if (outcome.ok || batch.length === 1 || isOutage(outcome) || outcome.error instanceof HandBack) {
      for (const delivery of batch) {
        const settled = this.settle(delivery, outcome);
        if (settled) await settled;
      }
      return;
    }
    for (const delivery of batch) {
      if (this.draining) nak(delivery.msg, 0);
      else await this.attempt(delivery, () => this.definition.handle([delivery], delivery));
    }
  }

  /** Parses, handles and settles one delivery, in its own trace. */
  private async attempt(delivery: ReceivedDelivery, handle: (data: unknown) => Promise<unknown>): Promise<void> {
    let outcome: HandlerOutcome;
    try {
      this.parse(delivery);
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
      delivery.startedAt = systemClock.monotonic();
    } catch (cause) {
      if (cause instanceof UnprovenCommand) throw cause;
      throw new UnparsablePayload(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  private settle(delivery: ReceivedDelivery, outcome: HandlerOutcome): Promise<void> | undefined {
    if (!outcome.ok) this.guard.rememberFailure(delivery);
    // A drain may have returned it: its settlement is no longer ours then.
    return this.holds(delivery) ? this.settler.settle(delivery, outcome, () => this.holds(delivery)) : undefined;
  }

  private returnWaiting(): void {
    for (const delivery of [...this.queue.clear(), ...this.guard.clear()]) {
      this.held.delete(delivery);
      nak(delivery.msg, 0);
    }
  }

  /** Returns what has waited behind a stuck handler for the whole timeout, so that another instance gets it. */
  private returnStuck(before: number): void {
    for (const delivery of [...this.queue.removeOlder(before), ...this.guard.removeOlder(before)]) {
      this.held.delete(delivery);
      this.returned++;
      nak(delivery.msg, 0);
    }
  }
}
