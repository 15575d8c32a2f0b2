import { systemClock } from '@tocsin/core';
import { HeldLease, type Lease } from './held-lease.ts';
import type { KeyValue } from '../client/key-value.ts';
import type { LeaseRecord, LeaseTable } from './lease-table.ts';

/** Written to find out whether a lease could be. It is no lease: nobody holds it. */
const PROBE_KEY = 'asked';

/** A lease as other processes see it. */
export interface LeaseView {
  name: string;
  holder: string;
  fence: number;
  /** Its holder was silent for longer than its ttl: any process may take it. */
  expired: boolean;
  /** Its holder wrote while this process watched. Otherwise it may have died long ago. */
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
   * Tries once, which is cheap while another process holds the lease. A free or released lease is taken at once. A silent
   * holder's lease is taken after its ttl, counted on our own clock from when we first saw its present revision, because the
   * holder's clock proves nothing. Call it at least every ttl/4.
   * @returns the lease, or `undefined` if another process has it
   * @throws TocsinError `unavailable`, or the broker's error, if the broker does not answer; try again
   */
  async acquire(name: string, o: { holder: string; ttlMs: number }): Promise<Lease | undefined> {
    await this.table.ready();
    const { incarnation } = this.table;
    const known = this.table.get(name);
    if (known && systemClock.monotonic() - known.seenAt < known.ttlMs) return undefined;
    if (!known && this.table.mayBeHeldBefore(o.ttlMs)) return undefined;
    const sentAt = systemClock.monotonic();
    const record: LeaseRecord = { ...o, fence: 0 };
    const revision =
      (known && (await this.bucket.update(name, record, known.revision))) ?? (await this.bucket.create(name, record));
    if (revision === undefined) {
      await this.refresh(name);
      return undefined;
    }
    // If the bucket was created again meanwhile, this revision cannot be compared with those that we saw.
    if ((await this.bucket.incarnation()) === incarnation && this.table.incarnation === incarnation)
      return this.taken(name, { record, revision, sentAt });
    await this.bucket.delete(name, revision);
    return undefined;
  }

  /**
   * Checks that the broker takes writes of leases now. Nothing else here does that for certain, because the list and the leases
   * of others are known from memory. A read would not do: a replica answers it during an election too.
   * @throws TocsinError `unavailable`, or the broker's error, if not
   */
  async checkWritable(): Promise<void> {
    await this.bucket.put(PROBE_KEY, {});
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

  /** Releases every lease of this process, at shutdown. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.held.values()].map((lease) => lease.release()));
  }

  /** Stops watching the bucket. */
  async close(): Promise<void> {
    await this.table.close();
  }

  private taken(name: string, o: { record: LeaseRecord; revision: number; sentAt: number }): Lease {
    // The first renewal writes the fence into the bucket; until then it follows from the revision.
    const record = { ...o.record, fence: this.table.fenceOf(o.revision) };
    this.table.note(name, record, o.revision);
    const lease = new HeldLease(this.bucket, { ...o, name, record, incarnation: this.table.incarnation });
    this.held.set(name, lease);
    void lease.lost.then(() => this.held.get(name) === lease && this.held.delete(name));
    return lease;
  }

  /** Another process was quicker, or our view was too old: the present record is judged from now on. */
  private async refresh(name: string): Promise<void> {
    const entry = await this.bucket.get(name);
    if (entry) this.table.note(name, entry.value as LeaseRecord, entry.revision);
  }
}
