import { describe, expect, it } from 'vitest';
import type { LiveEvent } from './event.ts';
import { EventRing } from './event-ring.ts';

const event = (sequence: number, text = 'x'): LiveEvent => ({ sequence, type: 'state', monitorId: undefined, text });
const sequences = (events: LiveEvent[] | undefined) => events?.map((one) => one.sequence);

describe('the ring of events', () => {
  it('holds what came after an event, if it began before it', () => {
    const ring = new EventRing({ events: 10, characters: 1_000 });
    for (const sequence of [5, 6, 7]) ring.add(event(sequence));
    expect(sequences(ring.since(5))).toEqual([6, 7]);
    expect(sequences(ring.since(4))).toEqual([5, 6, 7]);
    expect(sequences(ring.since(7))).toEqual([]);
  });

  it('does not know what came before it began: that is in the stream alone', () => {
    const ring = new EventRing({ events: 10, characters: 1_000 });
    expect(ring.since(3)).toBeUndefined();
    ring.add(event(5));
    expect(ring.since(3)).toBeUndefined();
    expect(sequences(ring.after(3))).toEqual([5]);
  });

  it.each([
    ['number', { events: 2, characters: 1_000 }, 'x'],
    ['size', { events: 100, characters: 20 }, '0123456789'],
  ])('is bounded in %s, and knows that it dropped something', (_what, most, text) => {
    const ring = new EventRing(most);
    for (const sequence of [1, 2, 3]) ring.add(event(sequence, text));
    expect(ring.after(0)).toBeUndefined();
    expect(sequences(ring.after(1))).toEqual([2, 3]);
  });
});
