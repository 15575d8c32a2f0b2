import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { KeyValue } from '../client/key-value.ts';
import type { LeaseRecord } from './lease-table.ts';

/** The holder gives up this share of the ttl, because its clock and its timers may be off. */
const MARGIN = 0.1;
const RENEWALS_PER_TTL = 3;
/** After a failed renewal the next try comes soon: an election may end before the ttl does. */
const TRIES_PER_TTL = 20;

/** The right to be the only one, held while the process renews it. */
export interface Lease {
  readonly name: string;
  /** Grows with every new holder: a writer with a smaller one has been replaced. */
  readonly fence: number;
  /** Whether it is certainly still ours by the monotonic clock. Call it right before every act. */
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
  private endReason: string | undefined;
  private renewing: Promise<void> | undefined;
  private incarnation: string;
  private readonly record: LeaseRecord;
  private renewal: NodeJS.Timeout | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private notifyLost: (reason: string) => void = () => undefined;
  private readonly logger = new Logger('Leases');

  constructor(
    private readonly bucket: KeyValue,
    o: { name: string; record: LeaseRecord; revision: number; incarnation: string; sentAt: number },
  ) {
    this.name = o.name;
    this.record = o.record;
    this.fence = o.record.fence;
    this.revision = o.revision;
    this.incarnation = o.incarnation;
    this.renewedAt = o.sentAt;
    this.lost = new Promise((resolve) => {
      this.notifyLost = resolve;
    });
    this.renewed(o.revision, o.sentAt);
    this.renewAfter(o.record.ttlMs / RENEWALS_PER_TTL);
  }

  isHeld(): boolean {
    if (this.endReason !== undefined) return false;
    if (systemClock.monotonic() - this.renewedAt < this.record.ttlMs * (1 - MARGIN)) return true;
    // It stays lost after being reported lost, even if a late renewal reply arrives before the timer.
    this.end('expired before it could be renewed');
    return false;
  }

  async release(): Promise<void> {
    if (this.endReason !== undefined) return;
    this.end('released');
    await this.renewing;
    await this.bucket.delete(this.name, this.revision);
  }

  private renewAfter(ms: number): void {
    if (this.endReason !== undefined) return;
    this.renewal = setTimeout(() => {
      this.renewing = this.renewOrRetry().finally(() => {
        this.renewing = undefined;
      });
    }, ms);
    this.renewal.unref();
  }

  private async renewOrRetry(): Promise<void> {
    // An expired lease is not renewed: a process that was frozen must notice that another took over.
    if (!this.isHeld()) return;
    const before = this.renewedAt;
    try {
      await this.renew();
    } catch (error) {
      this.logger.warn(`lease ${this.name} not renewed: ${(error as Error).message}`);
    }
    this.renewAfter(this.record.ttlMs / (this.renewedAt > before ? RENEWALS_PER_TTL : TRIES_PER_TTL));
  }

  private async renew(): Promise<void> {
    const sentAt = systemClock.monotonic();
    const revision = await this.bucket.update(this.name, this.record, this.revision);
    if (revision === undefined) return this.checkOwner();
    this.renewed(revision, sentAt);
  }

  /** A renewal whose answer was lost looks like another holder's write. The lease is ours if the record has our fence. */
  private async checkOwner(): Promise<void> {
    const entry = await this.bucket.get(this.name);
    if (!entry) return this.moveToNewBucket();
    const theirs = entry.value as LeaseRecord;
    if (theirs.holder !== this.record.holder || theirs.fence !== this.fence) return this.end('taken by another');
    this.revision = entry.revision;
  }

  /**
   * The bucket has no record. If the bucket was created again, every other process that saw the old one waits for a ttl, so the
   * holder continues in the new bucket with its fence. If it is the same bucket, somebody deleted the lease.
   */
  private async moveToNewBucket(): Promise<void> {
    const incarnation = await this.bucket.incarnation();
    if (incarnation === this.incarnation) return this.end('taken away');
    const sentAt = systemClock.monotonic();
    if (!this.isHeld()) return;
    const revision = await this.bucket.create(this.name, this.record);
    if (revision === undefined) return this.end('taken by another');
    this.incarnation = incarnation;
    this.renewed(revision, sentAt);
  }

  private renewed(revision: number, sentAt: number): void {
    this.revision = revision;
    this.renewedAt = sentAt;
    clearTimeout(this.expiry);
    if (this.endReason !== undefined) return;
    const left = sentAt + this.record.ttlMs * (1 - MARGIN) - systemClock.monotonic();
    this.expiry = setTimeout(() => this.end('expired before it could be renewed'), Math.max(0, left));
    this.expiry.unref();
  }

  private end(reason: string): void {
    if (this.endReason !== undefined) return;
    this.endReason = reason;
    clearTimeout(this.renewal);
    clearTimeout(this.expiry);
    if (reason !== 'released') this.logger.warn(`lease ${this.name} lost: ${reason}`);
    this.notifyLost(reason);
  }
}
