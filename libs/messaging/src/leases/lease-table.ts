import { systemClock, TocsinError } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import { StreamFollow } from '../client/follow.ts';

const READY_MS = 5_000;
/** An expired holding is forgotten after this long: the bucket may have dropped it without telling. */
const FORGET_MS = 60_000;

/** What stands in the bucket for a held lease. */
export interface Holding {
  holder: string;
  ttlMs: number;
  fence: number;
}

/** A holding, and when this process saw its present revision, on its own monotonic clock. */
export interface SeenHolding extends Holding {
  revision: number;
  seenAt: number;
  /** It was written while this process looked on: its holder was alive then. What stood there before may be a dead one's. */
  heard: boolean;
}

/**
 * The leases bucket in memory, kept by one subscription: asking whether a lease is free costs no round trip. It may lag
 * behind; every write is a compare-and-set on the revision it shows, so a stale view can only lose.
 */
export class LeaseTable {
  private readonly holdings = new Map<string, SeenHolding>();
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
   * Waits until everything that stood in the bucket was read.
   * @throws TocsinError `unavailable` after 5 s
   */
  async ready(): Promise<void> {
    this.opening ??= this.open();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new TocsinError('unavailable', 'The leases could not be read from the broker. Try again.');
      timer = setTimeout(reject, READY_MS, error);
    });
    try {
      await Promise.race([this.opening.then(({ caughtUp }) => caughtUp), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Which bucket this is a view of: the time at which it was created. */
  get incarnation(): string {
    return this.following?.incarnation ?? '';
  }

  /**
   * The fence of whoever wrote a revision: the time at which the bucket was created (ms) plus the revision. Revisions
   * begin at 1 again in a bucket that was deleted and exists anew; fences must grow all the same.
   */
  fenceOf(revision: number): number {
    return Date.parse(this.incarnation) + revision;
  }

  /** Whether a holder in the bucket before this one may still rightly believe that it holds something. */
  mayBeHeldBefore(ttlMs: number): boolean {
    const now = systemClock.monotonic();
    return now < this.freeAt || now - this.resetAt < ttlMs;
  }

  get(name: string): SeenHolding | undefined {
    const holding = this.holdings.get(name);
    if (!holding || systemClock.monotonic() - holding.seenAt < holding.ttlMs + FORGET_MS) return holding;
    this.holdings.delete(name);
    return undefined;
  }

  entries(): [string, SeenHolding][] {
    return [...this.holdings.keys()].flatMap((name) => {
      const holding = this.get(name);
      return holding ? [[name, holding] as [string, SeenHolding]] : [];
    });
  }

  /** Notes what was just read or written, unless something newer is known. */
  note(name: string, holding: Holding, revision: number): void {
    const known = this.holdings.get(name);
    if (known && known.revision >= revision) return;
    this.holdings.set(name, { ...holding, revision, seenAt: systemClock.monotonic(), heard: this.listening });
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
      if (!headers['KV-Operation'] && isHolding(data)) this.note(name, data, sequence);
      else if ((this.holdings.get(name)?.revision ?? 0) < sequence) this.holdings.delete(name);
    });
    this.following = follow;
    void follow.caughtUp.then(() => (this.listening = true));
    return follow.start();
  }

  /** The bucket is another one, without what stood in it: whoever held something goes on for its ttl at most. */
  private reset(): void {
    this.resetAt = systemClock.monotonic();
    for (const { ttlMs } of this.holdings.values()) this.freeAt = Math.max(this.freeAt, this.resetAt + ttlMs);
    this.holdings.clear();
  }
}

function isHolding(data: unknown): data is Holding {
  return typeof data === 'object' && data !== null && 'holder' in data && 'ttlMs' in data && 'fence' in data;
}
