import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Quiet } from './quiet.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const never = (): Promise<void> => new Promise(() => undefined);
const nothing = (): void => undefined;

describe('what must be alone', () => {
  it('waits for who is at work, and nobody begins meanwhile', async () => {
    const quiet = new Quiet();
    const over = vi.fn<() => void>();
    quiet.onOver(over);
    const act = vi.fn<() => Promise<void>>(async () => undefined);
    quiet.begin();
    const alone = quiet.alone(act, nothing);
    await vi.advanceTimersByTimeAsync(2_900);
    expect(act).not.toHaveBeenCalled();
    expect(quiet.isAsked).toBe(true);
    quiet.end();
    expect(await alone).toBe(true);
    expect(act).toHaveBeenCalledOnce();
    expect(quiet.isAsked).toBe(false);
    expect(over).toHaveBeenCalledOnce();
  });

  it('is not run at all when who is at work does not come to an end, and holds nobody up again soon', async () => {
    const quiet = new Quiet();
    const act = vi.fn<() => Promise<void>>(never);
    quiet.begin();
    const alone = quiet.alone(act, nothing);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await alone).toBe(false);
    expect(act).not.toHaveBeenCalled();
    expect(quiet.isAsked).toBe(false);
    const again = quiet.alone(act, nothing);
    await vi.advanceTimersByTimeAsync(0);
    expect(quiet.isAsked).toBe(false);
    expect(await again).toBe(false);
    quiet.end();
    expect(await quiet.alone(async () => undefined, nothing)).toBe(true);
  });

  it('is alone for a while only, and is told before others begin', async () => {
    const quiet = new Quiet();
    const askedAtLapse: boolean[] = [];
    void quiet.alone(never, () => askedAtLapse.push(quiet.isAsked));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(askedAtLapse).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(askedAtLapse).toEqual([true]);
    expect(quiet.isAsked).toBe(false);
  });

  it('comes one after the other, also after one that failed', async () => {
    const quiet = new Quiet();
    const first = quiet.alone(() => Promise.reject(new Error('no mark')), nothing);
    const second = quiet.alone(async () => undefined, nothing);
    await expect(first).rejects.toThrow('no mark');
    expect(await second).toBe(true);
  });
});
