import { systemClock } from '@tocsin/core';
import { HeldLease, type Lease } from './held-lease.ts';
import type { KeyValue } from '../client/key-value.ts';
import type { Holding, LeaseTable } from './lease-table.ts';

/** What is written to learn whether a lease could be. It is no lease: nobody holds it. */
const ASKED = 'asked';

/** A lease as anybody sees it. */
export interface LeaseView {
  name: string;
  holder: string;
  fence: number;
  /** Its holder has gone silent for longer than its ttl; anybody may take it. */
  expired: boolean;
  /** Its holder was heard of since this process looks on. Until then it may have died long ago. */
  heard: boolean;
}

/** Leases on a key-value bucket. */
export class Leases {
  private readonly held = new Map<string, HeldLease>();

  constructor(
    private readonly bucket: KeyValue,
    private readonly table: LeaseTable,
  ) {}

  /**
   * Tries once; cheap while somebody else holds it. A free or released lease is taken at once, one whose holder went
   * silent after its ttl has passed on our own clock since we first saw its present revision: the holder's clock proves
   * nothing. Call it again and again, at least every ttl/4.
   * @returns the lease, or `undefined` if it is somebody else's
   * @throws TocsinError `unavailable`, or the broker's error, if it can't be asked; try again
   */
  async acquire(name: string, o: { holder: string; ttlMs: number }): Promise<Lease | undefined> {
    await this.table.ready();
    const { incarnation } = this.table;
    const known = this.table.get(name);
    if (known && systemClock.monotonic() - known.seenAt < known.ttlMs) return undefined;
    if (!known && this.table.mayBeHeldBefore(o.ttlMs)) return undefined;
    const sentAt = systemClock.monotonic();
    const holding: Holding = { ...o, fence: 0 };
    const revision =
      (known && (await this.bucket.update(name, holding, known.revision))) ?? (await this.bucket.create(name, holding));
    if (revision === undefined) {
      await this.lookAgain(name);
      return undefined;
    }
    // Written to a bucket that exists anew, its revision says nothing beside those of the one that was looked at.
    if ((await this.bucket.incarnation()) === incarnation && this.table.incarnation === incarnation)
      return this.taken(name, { holding, revision, sentAt });
    await this.bucket.delete(name, revision);
    return undefined;
  }

  /**
   * Asks the broker whether leases can be written now, which nothing else here does for certain: what is held by somebody,
   * and the list, are known from memory. A read would not do: a copy answers it during an election too.
   * @throws TocsinError `unavailable`, or the broker's error, if not
   */
  async ask(): Promise<void> {
    await this.bucket.put(ASKED, {});
  }

  /** Every lease and its holder, held or just expired. */
  async list(): Promise<LeaseView[]> {
    await this.table.ready();
    const now = systemClock.monotonic();
    return this.table.entries().map(([name, { holder, ttlMs, fence, revision, seenAt, heard }]) => {
      const own = this.held.get(name);
      return {
        name,
        holder,
        fence: fence || this.table.fenceOf(revision),
        expired: own ? !own.isHeld() : now - seenAt >= ttlMs,
        heard,
      };
    });
  }

  /** Gives up everything held here: at shutdown. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.held.values()].map((lease) => lease.release()));
  }

  /** Stops watching the bucket. */
  async close(): Promise<void> {
    await this.table.close();
  }

  private taken(name: string, o: { holding: Holding; revision: number; sentAt: number }): Lease {
    // The first renewal writes the fence into the bucket; until then it follows from the revision.
    const holding = { ...o.holding, fence: this.table.fenceOf(o.revision) };
    this.table.note(name, holding, o.revision);
    const lease = new HeldLease(this.bucket, { ...o, name, holding, incarnation: this.table.incarnation });
    this.held.set(name, lease);
    void lease.lost.then(() => this.held.get(name) === lease && this.held.delete(name));
    return lease;
  }

  /** Somebody was quicker, or what we saw is long gone: what stands there now is judged from now on. */
  private async lookAgain(name: string): Promise<void> {
    const entry = await this.bucket.get(name);
    if (entry) this.table.note(name, entry.value as Holding, entry.revision);
  }
}
