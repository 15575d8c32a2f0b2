import type { LiveEvent } from './event.ts';

/** The newest events in memory, bounded in number and size. */
export class EventRing {
  private events: LiveEvent[] = [];
  private size = 0;
  /** The last event that was dropped: what came up to there is only in the stream. */
  private dropped = 0;

  constructor(private readonly most: { events: number; characters: number }) {}

  add(event: LiveEvent): void {
    this.events.push(event);
    this.size += event.text.length;
    while (this.events.length > this.most.events || this.size > this.most.characters) {
      const oldest = this.events.shift()!;
      this.size -= oldest.text.length;
      this.dropped = oldest.sequence;
    }
  }

  /** All events after a sequence that the ring has seen; undefined when some of them were dropped from it. */
  after(sequence: number): LiveEvent[] | undefined {
    return this.dropped > sequence ? undefined : this.events.filter((event) => event.sequence > sequence);
  }

  /** The same, but undefined also when the ring began only after that sequence. */
  since(sequence: number): LiveEvent[] | undefined {
    const first = this.events[0];
    return first && first.sequence <= sequence + 1 ? this.after(sequence) : undefined;
  }
}
