import { Readable } from 'node:stream';
import { type EventFilter, type LiveEvent, matches } from './event.ts';

/** How far a reader may fall behind; more than the ring holds, so that catching up from it always fits. */
const MOST_BYTES = 4 * 1_048_576;
const LOW_BYTES = 65_536;

/** What one open page receives. A page that reads too slowly is cut off; it comes back with Last-Event-ID. */
export class EventStream extends Readable {
  private wake: (() => void) | undefined;
  private over = false;

  constructor(readonly wanted: EventFilter) {
    super({ highWaterMark: LOW_BYTES });
    this.once('close', () => this.wake?.());
  }

  send(event: LiveEvent): void {
    if (matches(this.wanted, event)) this.write(event.text);
  }

  /** A comment line keeps the connection known to be alive. */
  comment(text: string): void {
    this.write(`: ${text}\n\n`);
  }

  write(text: string): void {
    if (this.destroyed || this.over) return;
    if (this.readableLength > MOST_BYTES) this.destroy();
    else this.push(text);
  }

  /** Ends it in order: the page connects again. */
  finish(): void {
    if (this.destroyed || this.over) return;
    this.over = true;
    this.push(null);
  }

  /** Resolves once the reader has taken most of what it was sent, or is gone. */
  async drained(): Promise<void> {
    if (this.destroyed || this.readableLength < LOW_BYTES) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  override _read(): void {
    this.wake?.();
  }
}
