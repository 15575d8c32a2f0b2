import { copyFileSync, mkdirSync, openSync, closeSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A log file that a child process appends to by itself, kept from growing: over the bound, its content moves to `<file>.1`
 * and it starts over. Appending writers go on at the new end, so nobody has to be told.
 */
export class BoundedLog {
  private readonly file: string;
  private readonly maxBytes: number;
  private readonly timer: NodeJS.Timeout;

  constructor(file: string, o: { maxBytes?: number; checkMs?: number } = {}) {
    this.file = file;
    this.maxBytes = o.maxBytes ?? 10_000_000;
    mkdirSync(dirname(file), { recursive: true });
    this.timer = setInterval(() => this.bound(), o.checkMs ?? 5_000).unref();
  }

  /** Opens it for a child, gives the descriptor to `use` and closes our copy. */
  lend<T>(use: (descriptor: number) => T): T {
    const descriptor = openSync(this.file, 'a', 0o600);
    try {
      return use(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private bound(): void {
    const size = statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.maxBytes) return;
    copyFileSync(this.file, `${this.file}.1`);
    truncateSync(this.file);
  }
}
