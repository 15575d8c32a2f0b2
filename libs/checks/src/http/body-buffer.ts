import { CheckFailure } from '../failure.ts';
import { bytes } from '../words.ts';

const MIB = 1_048_576;
/** What every body may hold besides the budget, so that large ones never keep small ones waiting. */
const FREE_BYTES = 65_536;

/** Memory that all checks of a process share. Over it a check ends as the prober's own failure, and nothing grows. */
export class MemoryBudget {
  #held = 0;

  constructor(private readonly limit: number) {}

  get held(): number {
    return this.#held;
  }

  /** @throws CheckFailure `resources` when so much is not left: another prober, or a later time, may have it */
  take(count: number): void {
    if (this.#held + count > this.limit) {
      throw new CheckFailure('resources', `resources: the bodies of this prober's checks take ${bytes(this.limit)}`);
    }
    this.#held += count;
  }

  give(count: number): void {
    this.#held -= count;
  }
}

/** For the bodies of all checks of this process. */
export const bodyMemory = new MemoryBudget(64 * MIB);

/**
 * A body while it comes in. One part is kept as it is; several are copied together, so that a body that comes byte by byte
 * takes no more than one that comes at once.
 */
export class BodyBuffer {
  #bytes: Buffer = EMPTY;
  #length = 0;
  #taken = 0;

  constructor(
    private readonly limit: number,
    private readonly memory = bodyMemory,
  ) {}

  /** The bytes so far. They are the buffer's own. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @throws CheckFailure `resources` */
  append(part: Buffer): void {
    const length = this.#length + part.length;
    if (this.#length === 0) {
      this.#take(part.length);
      this.#bytes = part;
    } else {
      if (length > this.#bytes.length) this.#grow(length);
      part.copy(this.#bytes, this.#length);
    }
    this.#length = length;
  }

  #grow(length: number): void {
    const size = Math.min(this.limit, Math.max(2 * length, 4_096));
    this.#take(size);
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** From now on it holds so many bytes. */
  #take(size: number): void {
    const counted = Math.max(0, size - FREE_BYTES);
    this.memory.take(counted - this.#taken);
    this.#taken = counted;
  }

  release(): void {
    this.memory.give(this.#taken);
    this.#taken = 0;
    this.#bytes = EMPTY;
    this.#length = 0;
  }
}

const EMPTY = Buffer.alloc(0);
