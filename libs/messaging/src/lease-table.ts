import { systemClock, TocsinError } from '@tocsin/core';
import type { Connection } from './connection.ts';
import { StreamFollow } from './follow.ts';

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
}

/**
 * The leases bucket in memory, kept by one subscription: asking whether a lease is free costs no round trip. It may lag
 * behind; every write is a compare-and-set on the revision it shows, so a stale view can only lose.
 */
export class LeaseTable {
  private readonly holdings = new Map<string, SeenHolding>();
  private opening: Promise<StreamFollow> | undefined;

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
    this.holdings.set(name, { ...holding, revision, seenAt: systemClock.monotonic() });
  }

  async close(): Promise<void> {
    const opening = this.opening;
    if (opening) await (await opening).stop();
  }

  private open(): Promise<StreamFollow> {
    const prefix = `$KV.${this.bucket}.`;
    const o = { stream: `KV_${this.bucket}`, filters: [`${prefix}>`], from: 'last-per-subject' as const };
    const follow = new StreamFollow(this.connection, o, ({ subject, data, sequence, headers }) => {
      const name = subject.slice(prefix.length);
      if (!headers['KV-Operation'] && isHolding(data)) this.note(name, data, sequence);
      else if ((this.holdings.get(name)?.revision ?? 0) < sequence) this.holdings.delete(name);
    });
    return follow.start();
  }
}

function isHolding(data: unknown): data is Holding {
  return typeof data === 'object' && data !== null && 'holder' in data && 'ttlMs' in data && 'fence' in data;
}
