import { TocsinError, type Clock } from '@tocsin/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from './deadline.ts';

class TurnableClock implements Clock {
  wall = 1_700_000_000_000;
  ticks = 5_000;
  now = () => this.wall;
  monotonic = () => this.ticks;
  pass(ms: number): void {
    this.wall += ms;
    this.ticks += ms;
  }
}

describe('Deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('counts down and then stays at zero', () => {
    const clock = new TurnableClock();
    const deadline = Deadline.in(100, clock);
    clock.pass(60);
    expect(deadline.remainingMs()).toBe(40);
    clock.pass(60);
    expect(deadline.remainingMs()).toBe(0);
    expect(deadline.expired).toBe(true);
  });

  it('is not moved by a step of the wall clock', () => {
    const clock = new TurnableClock();
    const deadline = Deadline.in(100, clock);
    clock.wall += 3_600_000;
    expect(deadline.remainingMs()).toBe(100);
  });

  it('travels as milliseconds since the epoch', () => {
    const clock = new TurnableClock();
    expect(Deadline.at(clock.now() + 250, clock).remainingMs()).toBe(250);
  });

  it('aborts its signal with a deadline error when the time is over', () => {
    const { signal } = Deadline.in(50, new TurnableClock());
    vi.advanceTimersByTime(49);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toBeInstanceOf(TocsinError);
    expect(signal.reason).toMatchObject({ code: 'deadline', retry: true });
  });

  it('is aborted from the start when it is in the past', () => {
    expect(Deadline.in(-1, new TurnableClock()).signal.aborted).toBe(true);
  });
});
