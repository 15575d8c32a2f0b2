import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeldLease } from './held-lease.ts';
import type { KeyValue } from '../client/key-value.ts';

const TTL_MS = 2_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});
afterEach(() => vi.useRealTimers());

describe(HeldLease.name, () => {
  it('that was said to be over stays so, though the answer to its renewal comes in before its timer', async () => {
    const clock = vi.spyOn(systemClock, 'monotonic').mockReturnValue(0);
    let answer: (revision: number) => void = () => undefined;
    const bucket: Partial<KeyValue> = { update: () => new Promise((resolve) => (answer = resolve)) };
    const record = { holder: 'a', ttlMs: TTL_MS, fence: 1 };
    const sut = new HeldLease(bucket as KeyValue, { name: 'l', record, revision: 1, incarnation: '', sentAt: 0 });
    clock.mockReturnValue(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    clock.mockReturnValue(TTL_MS);
    expect(sut.isHeld()).toBe(false);
    answer(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(sut.isHeld()).toBe(false);
    expect(await sut.lost).toContain('expired');
  });
});
