import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { type Lease, Leases } from '@tocsin/messaging';
import { CLOCK, CONFIG, type PlatformConfig } from '@tocsin/service';
import { placement } from './placement.ts';
import type { SchedulerConfig } from './scheduler.config.ts';

const MEMBER = 'scheduler.member.';
const SHARD = 'scheduler.shard.';

/** What a holder is told: a lease it got, and that one must be given up because another instance is nearer to it. */
export interface ShardListener {
  gained(shard: number, lease: Lease): Promise<void>;
  /** Stops the shard and records how far it came; the lease is released after this resolves. */
  giveUp(shard: number): Promise<void>;
  /** Its lease ran out, and the broker answers: another may have the shard, or will in a moment. */
  lost(shard: number): void;
}

/**
 * Holds this instance's share of the shards by lease. Each live member has its place among the shards; when one falls
 * silent or comes, all compute the new placement, give up what is no longer theirs and take what is free.
 */
@Injectable()
export class ShardHolder {
  private readonly logger = new Logger(ShardHolder.name);
  private readonly held = new Map<number, Lease>();
  private member: Lease | undefined;

  constructor(
    private readonly leases: Leases,
    @Inject(CONFIG) private readonly config: SchedulerConfig & PlatformConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One round: join, look who is there, give up what is another's, take what is free. Run often; losing is normal. */
  async round(listener: ShardListener): Promise<void> {
    await this.dropLost(listener);
    await this.join();
    const leases = (await this.leases.list()).filter(({ expired }) => !expired);
    // To count one that died before this instance started would leave its share to nobody.
    const members = leases.filter(({ name, heard }) => heard && name.startsWith(MEMBER)).map(({ holder }) => holder);
    if (!members.includes(this.config.instance)) return;
    const taken = new Set(leases.map(({ name }) => name));
    const placed = placement(this.config.shards, members);
    await Promise.all(
      placed.map(async (member, shard) => {
        const mine = member === this.config.instance;
        const lease = this.held.get(shard);
        if (lease?.isHeld() && !mine) {
          // In an election members seem to be gone who are not, and what is given up is taken by nobody.
          await this.leases.checkWritable();
          await this.giveUp(shard, lease, listener);
        } else if (!lease && mine && !taken.has(SHARD + shard)) await this.tryTake(shard, listener);
      }),
    );
  }

  /** Gives everything up at once, so that others need not wait for the leases to run out. */
  async stop(listener: ShardListener): Promise<void> {
    await Promise.all([
      this.member?.release(),
      ...[...this.held].map(([shard, lease]) => this.giveUp(shard, lease, listener)),
    ]);
  }

  private async join(): Promise<void> {
    if (this.member?.isHeld()) return;
    this.member = await this.leases.acquire(MEMBER + this.config.instance, this.terms());
  }

  private async tryTake(shard: number, listener: ShardListener): Promise<void> {
    const lease = await this.leases.acquire(SHARD + shard, this.terms());
    if (!lease) return;
    this.held.set(shard, lease);
    this.logger.log(`shard ${shard} taken, fence ${lease.fence}, at ${this.clock.now()}`);
    try {
      await listener.gained(shard, lease);
    } catch (error) {
      // A shard that is held and not run would miss windows: release it, for an instance that can run it.
      this.held.delete(shard);
      await lease.release();
      throw error;
    }
  }

  private async giveUp(shard: number, lease: Lease, listener: ShardListener): Promise<void> {
    await listener.giveUp(shard);
    this.held.delete(shard);
    await lease.release();
    this.logger.log(`shard ${shard} given up`);
  }

  /**
   * A lease that ran out is lost once the broker answers again. What is known of the leases in memory does not tell a
   * renewal that failed here from an election, in which nobody can take the shard and its holder had better go on.
   */
  private async dropLost(listener: ShardListener): Promise<void> {
    const lost = [...this.held].filter(([, lease]) => !lease.isHeld());
    if (lost.length === 0) return;
    await this.leases.checkWritable();
    for (const [shard] of lost) {
      this.held.delete(shard);
      listener.lost(shard);
      this.logger.warn(`shard ${shard} lost: its lease was not renewed in time`);
    }
  }

  private terms() {
    return { holder: this.config.instance, ttlMs: this.config.leaseTtlMs };
  }
}
