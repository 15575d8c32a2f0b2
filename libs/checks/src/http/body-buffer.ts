import { CheckFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { bytes } from '../message-text.ts';

const MIB = 1_048_576;
/** What every body may hold besides the budget, so that large ones never keep small ones waiting. */
const FREE_BYTES = 65_536;

/** Memory that all checks of a process share. Over it a check ends as the prober's own failure, and nothing grows. */
export class MemoryBudget {
  private count = 0;

  constructor(private readonly limit: number) {}

  get held(): number {
    return this.count;
  }

  /** @throws CheckFailure `resources` when so much is not left: another prober, or a later time, may have it */
  take(count: number): void {
    if (this.count + count > this.limit) {
      throw new CheckFailure('resources', `resources: the bodies of this prober's checks take ${bytes(this.limit)}`);
    }
    this.count += count;
  }

  give(count: number): void {
    this.count -= count;
  }
}

/** For the bodies of all checks of this process. */
export const bodyMemory = new MemoryBudget(64 * MIB);

/** Counts a body of so many bytes until the run ends. @throws CheckFailure `resources` */
export function holdBody(run: Pick<Run, 'atEnd'>, size: number): void {
  const counted = Math.max(0, size - FREE_BYTES);
  bodyMemory.take(counted);
  run.atEnd(() => bodyMemory.give(counted));
}

/**
 * A body while it comes in. One part is kept as it is; several are copied together, so that a body that comes byte by byte
 * takes no more than one that comes at once.
 */
export class BodyBuffer {
  private room: Buffer = EMPTY;
  private used = 0;
  private taken = 0;

  constructor(
    private readonly limit: number,
    private readonly memory = bodyMemory,
  ) {}

  /** The bytes so far. They are the buffer's own. */
  get bytes(): Buffer {
    return this.room.subarray(0, this.used);
  }

  /** @throws CheckFailure `resources` */
  append(part: Buffer): void {
    const length = this.used + part.length;
    if (this.used === 0) {
      this.take(part.length);
      this.room = part;
    } else {
      if (length > this.room.length) this.grow(length);
      part.copy(this.room, this.used);
    }
    this.used = length;
  }

  private grow(length: number): void {
    const size = Math.min(this.limit, Math.max(2 * length, 4_096));
    this.take(size);
    const larger = Buffer.allocUnsafeSlow(size);
    this.room.copy(larger, 0, 0, this.used);
    this.room = larger;
  }

  /** From now on it holds so many bytes. */
  private take(size: number): void {
    const counted = Math.max(0, size - FREE_BYTES);
    this.memory.take(counted - this.taken);
    this.taken = counted;
  }

  release(): void {
    this.memory.give(this.taken);
    this.taken = 0;
    this.room = EMPTY;
    this.used = 0;
  }
}

const EMPTY = Buffer.alloc(0);
