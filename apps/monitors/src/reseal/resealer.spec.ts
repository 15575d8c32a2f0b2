import type { Drain } from '@tocsin/service';
import { expect, it, vi } from 'vitest';
import type { MonitorsConfig } from '../monitors.config.ts';
import { Resealer } from './resealer.ts';
import type { SealedRecords } from './sealed-records.ts';

it('looks every hour, as somebody may still seal with the key before, and no more once it stops', async () => {
  vi.useFakeTimers();
  let looks = 0;
  const records = { resealAll: async () => ({ resealed: (looks += 1) && 0, lost: [] }) } as unknown as SealedRecords;
  let stop: () => Promise<void> | void = () => undefined;
  const drain = { onStop: (_phase: string, fn: typeof stop) => (stop = fn) } as unknown as Drain;
  new Resealer(records, drain, { reseals: true } as MonitorsConfig).onApplicationBootstrap();
  await vi.advanceTimersByTimeAsync(2 * 3_600_000 + 1);
  expect(looks).toBe(3);
  await stop();
  await vi.advanceTimersByTimeAsync(2 * 3_600_000);
  expect(looks).toBe(3);
  vi.useRealTimers();
});
