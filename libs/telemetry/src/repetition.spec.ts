import { describe, expect, it } from 'vitest';
import { Repetition } from './repetition.ts';

function setUp() {
  let now = 0;
  const repetition = new Repetition({ now: () => now, monotonic: () => now });
  return { repetition, pass: (ms: number) => void (now += ms) };
}

describe('Repetition', () => {
  it('lets ten of a kind through in ten seconds and counts the rest', () => {
    const { repetition, pass } = setUp();
    const admitted = Array.from({ length: 25 }, (_, i) => repetition.admit('x', `took ${i} ms`).admitted);
    expect(admitted.filter(Boolean)).toHaveLength(10);
    pass(10_000);
    expect(repetition.admit('x', 'took 99 ms')).toEqual({ admitted: true, held: 15 });
    expect(repetition.admit('x', 'took 99 ms')).toEqual({ admitted: true, held: 0 });
  });

  it('does not hold back another text or another context', () => {
    const { repetition } = setUp();
    for (let i = 0; i < 50; i++) repetition.admit('x', 'one');
    expect(repetition.admit('x', 'two').admitted).toBe(true);
    expect(repetition.admit('y', 'one').admitted).toBe(true);
  });

  it('forgets the oldest text rather than growing', () => {
    const { repetition } = setUp();
    for (let i = 0; i < 50; i++) repetition.admit('x', 'first');
    const letters = (n: number): string => String.fromCharCode(0x4e00 + n);
    for (let i = 0; i < 600; i++) repetition.admit('x', `text ${letters(i)}`);
    expect(repetition.admit('x', 'first').admitted).toBe(true);
  });
});
