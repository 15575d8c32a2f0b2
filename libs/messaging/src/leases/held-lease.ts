import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import type { KeyValue } from '../client/key-value.ts';
import type { Holding } from './lease-table.ts';

/** The share of the ttl that a holder does without, for what its clock and its timers may be off. */
const MARGIN = 0.1;
const RENEWALS_PER_TTL = 3;
/** After a renewal that failed the next try comes soon: an election may end before the ttl does. */
const TRIES_PER_TTL = 20;

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
  private incarnation: string;
  private readonly holding: Holding;
  private renewal: NodeJS.Timeout | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private tell: (reason: string) => void = () => undefined;
  private readonly logger = new Logger('Leases');

  constructor(
    private readonly bucket: KeyValue,
    o: { name: string; holding: Holding; revision: number; incarnation: string; sentAt: number },
  ) {
    this.name = o.name;
    this.holding = o.holding;
    this.fence = o.holding.fence;
    this.revision = o.revision;
    this.incarnation = o.incarnation;
    this.renewedAt = o.sentAt;
    this.lost = new Promise((resolve) => {
      this.tell = resolve;
    });
    this.held(o.revision, o.sentAt);
    this.renewAfter(o.holding.ttlMs / RENEWALS_PER_TTL);
  }

  isHeld(): boolean {
    if (this.over !== undefined) return false;
    if (systemClock.monotonic() - this.renewedAt < this.holding.ttlMs * (1 - MARGIN)) return true;
    // Who was told so has stopped: an answer that comes in before the timer does must not revive it.
    this.end('expired before it could be renewed');
    return false;
  }

  async release(): Promise<void> {
    if (this.over !== undefined) return;
    this.end('released');
    await this.renewing;
    await this.bucket.delete(this.name, this.revision);
  }

  private renewAfter(ms: number): void {
    if (this.over !== undefined) return;
    this.renewal = setTimeout(() => {
      this.renewing = this.tick().finally(() => {
        this.renewing = undefined;
      });
    }, ms);
    this.renewal.unref();
  }

  private async tick(): Promise<void> {
    // Once it may have expired it is not revived: a frozen process must notice that it was replaced.
    if (!this.isHeld()) return;
    const before = this.renewedAt;
    try {
      await this.renew();
    } catch (error) {
      this.logger.warn(`lease ${this.name} not renewed: ${(error as Error).message}`);
    }
    this.renewAfter(this.holding.ttlMs / (this.renewedAt > before ? RENEWALS_PER_TTL : TRIES_PER_TTL));
  }

  private async renew(): Promise<void> {
    const sentAt = systemClock.monotonic();
    const revision = await this.bucket.update(this.name, this.holding, this.revision);
    if (revision === undefined) return this.reread();
    this.held(revision, sentAt);
  }

  /** A renewal whose answer was lost looks like somebody else's write: it is still ours if our fence stands in it. */
  private async reread(): Promise<void> {
    const entry = await this.bucket.get(this.name);
    if (!entry) return this.moveOver();
    const theirs = entry.value as Holding;
    if (theirs.holder !== this.holding.holder || theirs.fence !== this.fence) return this.end('taken by another');
    this.revision = entry.revision;
  }

  /**
   * It is not in the bucket. If that exists anew, whoever else saw the one before waits for a ttl, so the holder goes on
   * in the new one with its fence. If it is the same bucket, somebody took the lease away.
   */
  private async moveOver(): Promise<void> {
    const incarnation = await this.bucket.incarnation();
    if (incarnation === this.incarnation) return this.end('taken away');
    const sentAt = systemClock.monotonic();
    if (!this.isHeld()) return;
    const revision = await this.bucket.create(this.name, this.holding);
    if (revision === undefined) return this.end('taken by another');
    this.incarnation = incarnation;
    this.held(revision, sentAt);
  }

  private held(revision: number, sentAt: number): void {
    this.revision = revision;
    this.renewedAt = sentAt;
    clearTimeout(this.expiry);
    if (this.over !== undefined) return;
    const left = sentAt + this.holding.ttlMs * (1 - MARGIN) - systemClock.monotonic();
    this.expiry = setTimeout(() => this.end('expired before it could be renewed'), Math.max(0, left));
    this.expiry.unref();
  }

  private end(reason: string): void {
    if (this.over !== undefined) return;
    this.over = reason;
    clearTimeout(this.renewal);
    clearTimeout(this.expiry);
    if (reason !== 'released') this.logger.warn(`lease ${this.name} lost: ${reason}`);
    this.tell(reason);
  }
}
