import { systemClock, TocsinError, within } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import { StreamFollow } from '../client/follow.ts';

const READY_MS = 5_000;
/** An expired record is forgotten after this long: the bucket may have dropped it without telling. */
const FORGET_MS = 60_000;

/** The value of a held lease in the bucket. */
export interface LeaseRecord {
  holder: string;
  ttlMs: number;
  fence: number;
}

/** A record, and when this process saw its present revision, on its own monotonic clock. */
export interface SeenLease extends LeaseRecord {
  revision: number;
  seenAt: number;
  /** It was written while this process watched, so its holder was alive then. An older record may be a dead holder's. */
  heard: boolean;
}

/**
 * The leases bucket in memory, kept current by one subscription, so it costs no round trip to see whether a lease is free. It
 * may lag behind. Every write is a compare-and-set on the revision that it shows, so a stale view can only lose.
 */
export class LeaseTable {
  private readonly records = new Map<string, SeenLease>();
  private opening: Promise<StreamFollow> | undefined;
  private following: StreamFollow | undefined;
  private listening = false;
  private freeAt = Number.NEGATIVE_INFINITY;
  private resetAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly connection: Connection,
    private readonly bucket: string,
  ) {}

  /**
   * Waits until the whole bucket was read once.
   * @throws TocsinError `unavailable` after 5 s
   */
  async ready(): Promise<void> {
    this.opening ??= this.open();
    const read = this.opening.then(({ caughtUp }) => caughtUp);
    await within(read, READY_MS, () => {
      throw new TocsinError('unavailable', 'The leases could not be read from the broker. Try again.');
    });
  }

  /** When the bucket was created: another time means another bucket. */
  get incarnation(): string {
    return this.following?.incarnation ?? '';
  }

  /**
   * The fence of the holder that wrote a revision: the creation time of the bucket (ms) plus the revision. Revisions begin at 1
   * again in a bucket that was created again, and fences must grow all the same.
   */
  fenceOf(revision: number): number {
    return Date.parse(this.incarnation) + revision;
  }

  /** Whether a holder of the previous bucket may still rightly believe that it holds a lease. */
  mayBeHeldBefore(ttlMs: number): boolean {
    const now = systemClock.monotonic();
    return now < this.freeAt || now - this.resetAt < ttlMs;
  }

  get(name: string): SeenLease | undefined {
    const record = this.records.get(name);
    if (!record || systemClock.monotonic() - record.seenAt < record.ttlMs + FORGET_MS) return record;
    this.records.delete(name);
    return undefined;
  }

  entries(): [string, SeenLease][] {
    return [...this.records.keys()].flatMap((name) => {
      const record = this.get(name);
      return record ? [[name, record] as [string, SeenLease]] : [];
    });
  }

  /** Stores a record that was just read or written, unless a newer one is known. */
  note(name: string, record: LeaseRecord, revision: number): void {
    const known = this.records.get(name);
    if (known && known.revision >= revision) return;
    this.records.set(name, { ...record, revision, seenAt: systemClock.monotonic(), heard: this.listening });
  }

  async close(): Promise<void> {
    const opening = this.opening;
    if (opening) await (await opening).stop();
  }

  private open(): Promise<StreamFollow> {
    const prefix = `$KV.${this.bucket}.`;
    const o = {
      stream: `KV_${this.bucket}`,
      filters: [`${prefix}>`],
      from: 'last-per-subject' as const,
      onReset: () => this.reset(),
    };
    const follow = new StreamFollow(this.connection, o, ({ subject, data, sequence, headers }) => {
      const name = subject.slice(prefix.length);
      if (!headers['KV-Operation'] && isLeaseRecord(data)) this.note(name, data, sequence);
      else if ((this.records.get(name)?.revision ?? 0) < sequence) this.records.delete(name);
    });
    this.following = follow;
    void follow.caughtUp.then(() => (this.listening = true));
    return follow.start();
  }

  /** The bucket is a new one without records. A holder in the previous one may act for its ttl at most. */
  private reset(): void {
    this.resetAt = systemClock.monotonic();
    for (const { ttlMs } of this.records.values()) this.freeAt = Math.max(this.freeAt, this.resetAt + ttlMs);
    this.records.clear();
  }
}

function isLeaseRecord(data: unknown): data is LeaseRecord {
  return typeof data === 'object' && data !== null && 'holder' in data && 'ttlMs' in data && 'fence' in data;
}
