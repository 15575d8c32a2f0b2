import { Logger } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { Periodic } from '@tocsin/service';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { MonitorsConfig } from '../monitors.config.ts';
import { Resealer } from './resealer.ts';
import type { SealedRecords } from './sealed-records.ts';

const HOUR_MS = 3_600_000;
const periodic = new Periodic();
const resealAll = vi.fn<SealedRecords['resealAll']>(() => Promise.resolve({ resealed: 0, lost: [] }));

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  vi.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
});
afterEach(async () => {
  await periodic.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('after a failure looks again in 5 s, then every hour, as somebody may still seal with the key before, until it stops', async () => {
  resealAll.mockRejectedValueOnce(new TocsinError('unavailable', 'The database is away.'));
  const records = { resealAll } as unknown as SealedRecords;
  new Resealer(records, periodic, { reseals: true } as MonitorsConfig).onApplicationBootstrap();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(resealAll).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(resealAll).toHaveBeenCalledTimes(4);
  await periodic.stop();
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(resealAll).toHaveBeenCalledTimes(4);
});
