import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExclusiveSlot } from './exclusive-slot.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const never = (): Promise<void> => new Promise(() => undefined);
const nothing = (): void => undefined;

describe('a message that must run alone', () => {
  it('waits for the running handlers, and no other handler begins meanwhile', async () => {
    const slot = new ExclusiveSlot();
    const released = vi.fn<() => void>();
    slot.onReleased(released);
    const act = vi.fn<() => Promise<void>>(async () => undefined);
    slot.enter();
    const ran = slot.runExclusively(act, nothing);
    await vi.advanceTimersByTimeAsync(2_900);
    expect(act).not.toHaveBeenCalled();
    expect(slot.isClaimed).toBe(true);
    slot.leave();
    expect(await ran).toBe(true);
    expect(act).toHaveBeenCalledOnce();
    expect(slot.isClaimed).toBe(false);
    expect(released).toHaveBeenCalledOnce();
  });

  it('is not run while another handler does not end, and holds nobody up again within a minute', async () => {
    const slot = new ExclusiveSlot();
    const act = vi.fn<() => Promise<void>>(never);
    slot.enter();
    const ran = slot.runExclusively(act, nothing);
    await vi.advanceTimersByTimeAsync(3_001);
    expect(await ran).toBe(false);
    expect(act).not.toHaveBeenCalled();
    expect(slot.isClaimed).toBe(false);
    const again = slot.runExclusively(act, nothing);
    await vi.advanceTimersByTimeAsync(0);
    expect(slot.isClaimed).toBe(false);
    expect(await again).toBe(false);
    slot.leave();
    expect(await slot.runExclusively(async () => undefined, nothing)).toBe(true);
  });

  it('runs alone for ten seconds at most, and is told before others begin', async () => {
    const slot = new ExclusiveSlot();
    const claimedWhenShared: boolean[] = [];
    void slot.runExclusively(never, () => claimedWhenShared.push(slot.isClaimed));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(claimedWhenShared).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(claimedWhenShared).toEqual([true]);
    expect(slot.isClaimed).toBe(false);
  });

  it('runs after the one before it, also when that one failed', async () => {
    const slot = new ExclusiveSlot();
    const first = slot.runExclusively(() => Promise.reject(new Error('no mark')), nothing);
    const second = slot.runExclusively(async () => undefined, nothing);
    await expect(first).rejects.toThrow('no mark');
    expect(await second).toBe(true);
  });
});
