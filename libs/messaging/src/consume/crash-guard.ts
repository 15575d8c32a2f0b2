import { Logger } from '@nestjs/common';
import { removeOlder } from './batch-queue.ts';
import type { CrashMarks } from './crash-marks.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { ExclusiveSlot } from './exclusive-slot.ts';
import { nak } from './settlement.ts';

/** A delivery whose mark can't be read or written comes again after this wait. */
const UNMARKED_RETRY_MS = 1_000;
/** An accused delivery that found other handlers at work comes again after this wait. */
const BUSY_RETRY_MS = 10_000;

/** The parts of a worker that the guard uses. */
export interface GuardedWorker {
  readonly isDraining: boolean;
  /** False once a drain has returned the delivery. */
  holds(delivery: ReceivedDelivery): boolean;
  /** Handles and settles one delivery. */
  handleAlone(delivery: ReceivedDelivery): Promise<void>;
  /** The delivery crashed its process too often. */
  giveUp(delivery: ReceivedDelivery): Promise<void>;
  release(deliveries: readonly ReceivedDelivery[]): void;
}

/** Keeps a message that crashes its process from taking others along: runs each accused message alone (see `CrashMarks`). */
export class CrashGuard {
  /** Accused deliveries that wait to run alone. */
  private readonly accused: ReceivedDelivery[] = [];
  private running = false;
  private readonly logger: Logger;

  constructor(
    private readonly marks: CrashMarks,
    private readonly slot: ExclusiveSlot,
    private readonly worker: GuardedWorker,
    durable: string,
  ) {
    this.logger = new Logger(durable);
  }

  /** Marks the suspects among `taken`. @returns the deliveries that may run beside others now */
  async admit(taken: ReceivedDelivery[]): Promise<ReceivedDelivery[]> {
    const suspects = taken.filter((delivery) => this.marks.isSuspect(delivery));
    if (suspects.length === 0) return taken;
    const admitted = new Set(taken);
    await Promise.all(
      suspects.map(async (suspect) => {
        if (!(await this.isAdmitted(suspect))) admitted.delete(suspect);
      }),
    );
    void this.runAccused();
    // A drain may have returned some of them meanwhile.
    return [...admitted].filter((delivery) => this.worker.holds(delivery));
  }

  /** Removes the marks of deliveries whose handling has ended. */
  async unmark(deliveries: readonly ReceivedDelivery[]): Promise<void> {
    await Promise.all(deliveries.filter((one) => this.marks.isMarked(one)).map((one) => this.unmarkOne(one)));
  }

  /** Remembers that a delivery failed and the process survived. */
  rememberFailure(delivery: ReceivedDelivery): void {
    this.marks.rememberFailure(delivery);
  }

  /** Removes every accused delivery that waits. */
  clear(): ReceivedDelivery[] {
    return this.accused.splice(0);
  }

  /** Removes the accused deliveries that were received before `before`, monotonic ms. */
  removeOlder(before: number): ReceivedDelivery[] {
    return removeOlder(this.accused, before);
  }

  private async isAdmitted(suspect: ReceivedDelivery): Promise<boolean> {
    try {
      if (await this.marks.markShared(suspect)) return true;
      this.accused.push(suspect);
    } catch (error) {
      this.postpone(suspect, error);
      this.worker.release([suspect]);
    }
    return false;
  }

  private async runAccused(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let next = this.accused.shift(); next; next = this.accused.shift()) await this.runAlone(next);
    this.running = false;
  }

  private async runAlone(accused: ReceivedDelivery): Promise<void> {
    const onShared = (): void => {
      this.marks.demoteToShared(accused).catch((error: unknown) => this.warn(accused, error));
    };
    try {
      if (await this.slot.runExclusively(() => this.handleAlone(accused), onShared)) return;
      nak(accused.msg, BUSY_RETRY_MS);
      this.logger.warn(`${accused.subject} (${accused.sequence}) must run alone, and others are at work: later`);
    } catch (error) {
      this.postpone(accused, error);
    } finally {
      this.worker.release([accused]);
    }
  }

  private async handleAlone(accused: ReceivedDelivery): Promise<void> {
    if (this.worker.isDraining) return nak(accused.msg, 0);
    if (!(await this.marks.markExclusive(accused))) return this.worker.giveUp(accused);
    await this.worker.handleAlone(accused);
    await this.unmarkOne(accused);
  }

  private async unmarkOne(delivery: ReceivedDelivery): Promise<void> {
    try {
      await this.marks.unmark(delivery);
    } catch (error) {
      this.warn(delivery, error);
    }
  }

  private postpone(delivery: ReceivedDelivery, error: unknown): void {
    nak(delivery.msg, UNMARKED_RETRY_MS);
    this.warn(delivery, error);
  }

  private warn({ subject, sequence }: ReceivedDelivery, error: unknown): void {
    this.logger.warn(`${subject} (${sequence}) can't be marked, or its mark removed: ${(error as Error).message}`);
  }
}
