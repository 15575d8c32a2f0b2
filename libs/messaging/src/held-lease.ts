import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { KeyValue } from './key-value.ts';
import type { Holding } from './lease-table.ts';

/** The share of the ttl that a holder does without, for what its clock and its timers may be off. */
const MARGIN = 0.1;
const RENEWALS_PER_TTL = 3;

/** Something that one process holds alone, for as long as it renews it. */
export interface Lease {
  readonly name: string;
  /** Grows with every new holder: a writer with a smaller one has been replaced. */
  readonly fence: number;
  /** Whether it is certainly still ours, judged by the monotonic clock; ask right before every act. */
  isHeld(): boolean;
  /** Resolves with the reason once it is no longer ours. */
  readonly lost: Promise<string>;
  /** Gives it up, so that another can take it at once. */
  release(): Promise<void>;
}

/** A lease that this process took, renewed every third of its ttl. */
export class HeldLease implements Lease {
  readonly name: string;
  readonly fence: number;
  readonly lost: Promise<string>;
  private revision: number;
  private renewedAt: number;
  private over: string | undefined;
  private renewing: Promise<void> | undefined;
  private readonly holding: Holding;
  private readonly timer: NodeJS.Timeout;
  private tell: (reason: string) => void = () => undefined;
  private readonly logger = new Logger('Leases');

  constructor(
    private readonly bucket: KeyValue,
    o: { name: string; holding: Holding; revision: number; sentAt: number },
  ) {
    this.name = o.name;
    this.holding = o.holding;
    this.fence = o.holding.fence;
    this.revision = o.revision;
    this.renewedAt = o.sentAt;
    this.lost = new Promise((resolve) => {
      this.tell = resolve;
    });
    this.timer = setInterval(() => this.tick(), o.holding.ttlMs / RENEWALS_PER_TTL);
    this.timer.unref();
  }

  isHeld(): boolean {
    if (this.over !== undefined) return false;
    return systemClock.monotonic() - this.renewedAt < this.holding.ttlMs * (1 - MARGIN);
  }

  async release(): Promise<void> {
    if (this.over !== undefined) return;
    this.end('released');
    await this.renewing;
    await this.bucket.delete(this.name, this.revision);
  }

  private tick(): void {
    // Once it may have expired it is not revived: a frozen process must notice that it was replaced.
    if (!this.isHeld()) return this.end('expired before it could be renewed');
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
  }

  private async renew(): Promise<void> {
    const sentAt = systemClock.monotonic();
    try {
      const revision = await this.bucket.update(this.name, this.holding, this.revision);
      if (revision === undefined) return await this.reread(sentAt);
      this.revision = revision;
      this.renewedAt = sentAt;
    } catch (error) {
      this.logger.warn(`lease ${this.name} not renewed: ${(error as Error).message}`);
    }
  }

  /** A renewal whose answer was lost looks like somebody else's write: it is still ours if our fence stands in it. */
  private async reread(sentAt: number): Promise<void> {
    const entry = await this.bucket.get(this.name);
    const theirs = entry?.value as Holding | undefined;
    if (!entry || theirs?.holder !== this.holding.holder || theirs.fence !== this.fence)
      return this.end('taken by another');
    this.revision = entry.revision;
    this.renewedAt = Math.min(sentAt, this.renewedAt);
  }

  private end(reason: string): void {
    if (this.over !== undefined) return;
    this.over = reason;
    clearInterval(this.timer);
    if (reason !== 'released') this.logger.warn(`lease ${this.name} lost: ${reason}`);
    this.tell(reason);
  }
}
