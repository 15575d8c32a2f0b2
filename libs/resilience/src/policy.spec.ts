import { TocsinError } from '@tocsin/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from './deadline.ts';
import { policy, type Policy } from './policy.ts';

const failure = (): Promise<never> => Promise.reject(new Error('broken'));
const forever = (): Promise<never> => new Promise(() => undefined);

/** The error that a promise ends with; attached at once, so it is never unhandled. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

async function fail(target: Policy, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await errorOf(target.execute(failure));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('timeout', () => {
  it('cancels what takes too long and says how long it was given', async () => {
    let given: AbortSignal | undefined;
    const error = errorOf(
      policy('slow', { timeoutMs: 100 }).execute((signal) => {
        given = signal;
        return forever();
      }),
    );
    await vi.advanceTimersByTimeAsync(100);
    expect(await error).toMatchObject({ code: 'deadline', message: 'slow: no answer within 100 ms' });
    expect(given?.aborted).toBe(true);
  });

  it('leaves no timer behind when the answer came', async () => {
    expect(await policy('quick', { timeoutMs: 100 }).execute(async () => 7)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is cut short by a sooner deadline', async () => {
    const error = errorOf(policy('cut', { timeoutMs: 10_000 }).execute(forever, Deadline.in(50)));
    await vi.advanceTimersByTimeAsync(50);
    expect(await error).toMatchObject({ code: 'deadline' });
  });
});

describe('retry', () => {
  const retry = { attempts: 3, baseMs: 10, maxMs: 100 };

  it('tries again until it succeeds', async () => {
    const fn = vi.fn<() => Promise<string>>(async () => 'ok').mockRejectedValueOnce(new Error('once'));
    const result = policy('again', { retry }).execute(fn);
    await vi.runAllTimersAsync();
    expect(await result).toBe('ok');
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it('gives up after the last attempt with the last error', async () => {
    const fn = vi.fn<() => Promise<never>>(failure);
    const error = errorOf(policy('give up', { retry }).execute(fn));
    await vi.runAllTimersAsync();
    expect(await error).toMatchObject({ message: 'broken' });
    expect(fn).toHaveBeenCalledTimes(3);
  });

  it('does not retry what a retry cannot mend', async () => {
    const fn = vi.fn<() => Promise<never>>(() => Promise.reject(new TocsinError('invalid', 'no')));
    expect(await errorOf(policy('refused', { retry }).execute(fn))).toMatchObject({ code: 'invalid' });
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('asks the given rule instead where there is one', async () => {
    const fn = vi.fn<() => Promise<never>>(failure);
    await errorOf(policy('rule', { retry: { ...retry, if: () => false } }).execute(fn));
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('does not wait for an attempt that would begin after the deadline', async () => {
    const fn = vi.fn<() => Promise<never>>(failure);
    const error = errorOf(
      policy('late', { retry: { attempts: 5, baseMs: 1_000, maxMs: 1_000 } }).execute(fn, Deadline.in(100)),
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(await error).toMatchObject({ message: 'broken' });
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('drops expired work instead of beginning it', async () => {
    const fn = vi.fn<() => Promise<number>>(async () => 1);
    expect(await errorOf(policy('expired', {}).execute(fn, Deadline.in(-1)))).toMatchObject({ code: 'deadline' });
    expect(fn).not.toHaveBeenCalled();
  });
});

describe('breaker', () => {
  const breaker = { failures: 3, halfOpenAfterMs: 1_000 };

  it('opens after its number of failures in a row and then refuses at once', async () => {
    const target = policy('opens', { breaker });
    await fail(target, 2);
    expect(target.state()).toBe('closed');
    await fail(target, 1);
    expect(target.state()).toBe('open');
    const fn = vi.fn<() => Promise<number>>(async () => 1);
    expect(await errorOf(target.execute(fn))).toMatchObject({ code: 'unavailable', retry: true });
    expect(fn).not.toHaveBeenCalled();
  });

  it('lets one call through after its pause and closes when that succeeds', async () => {
    const target = policy('half opens', { breaker });
    await fail(target, 3);
    vi.advanceTimersByTime(1_001);
    const states: string[] = [];
    await target.execute(async () => states.push(target.state()));
    expect(states).toEqual(['half-open']);
    expect(target.state()).toBe('closed');
  });

  it('refuses all others at once while that one call is out', async () => {
    const target = policy('one finds out', { breaker });
    await fail(target, 3);
    vi.advanceTimersByTime(1_001);
    let answer: ((value: number) => void) | undefined;
    const probe = target.execute(() => new Promise<number>((resolve) => (answer = resolve)));
    const fn = vi.fn<() => Promise<number>>(async () => 1);
    const other = vi.fn<(error: unknown) => void>();
    void errorOf(target.execute(fn)).then(other);
    await vi.advanceTimersByTimeAsync(0);
    expect(other).toHaveBeenCalledWith(expect.objectContaining({ code: 'unavailable', retry: true }));
    expect(fn).not.toHaveBeenCalled();
    answer?.(7);
    expect(await probe).toBe(7);
    expect(await target.execute(fn)).toBe(1);
  });

  it('opens again when the call after the pause fails', async () => {
    const target = policy('opens again', { breaker });
    await fail(target, 3);
    vi.advanceTimersByTime(1_001);
    await fail(target, 1);
    expect(target.state()).toBe('open');
  });

  it('counts a success as the end of a row of failures', async () => {
    const target = policy('row', { breaker });
    await fail(target, 2);
    await target.execute(async () => 1);
    await fail(target, 2);
    expect(target.state()).toBe('closed');
  });

  it('does not count refusals, which a healthy server gives', async () => {
    const target = policy('refusals', { breaker });
    for (let i = 0; i < 10; i++) {
      await errorOf(target.execute(() => Promise.reject(new TocsinError('not_found', 'no such thing'))));
    }
    expect(target.state()).toBe('closed');
  });

  it('is not tried again by the retry while it is open', async () => {
    const target = policy('no retry', { breaker, retry: { attempts: 5, baseMs: 1, maxMs: 1 } });
    const opened = errorOf(target.execute(failure));
    await vi.runAllTimersAsync();
    expect(await opened).toMatchObject({ code: 'unavailable' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('bulkhead', () => {
  it('refuses what is more than running and waiting together', async () => {
    const target = policy('full', { bulkhead: { limit: 1, queue: 1 } });
    void target.execute(forever);
    void target.execute(forever);
    expect(await errorOf(target.execute(forever))).toMatchObject({
      code: 'exhausted',
      retry: true,
      message: 'full: 1 are running and 1 are waiting; try again later',
    });
  });

  it('answers at its deadline while it still waits, and never begins the work', async () => {
    const target = policy('waiting', { bulkhead: { limit: 1, queue: 1 } });
    let finish: (() => void) | undefined;
    const first = target.execute(() => new Promise<void>((resolve) => (finish = resolve)));
    const fn = vi.fn<() => Promise<number>>(async () => 1);
    const error = errorOf(target.execute(fn, Deadline.in(50)));
    await vi.advanceTimersByTimeAsync(51);
    expect(await error).toMatchObject({ code: 'deadline' });
    finish?.();
    await first;
    await vi.advanceTimersByTimeAsync(10);
    expect(fn).not.toHaveBeenCalled();
  });
});
