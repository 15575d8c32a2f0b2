import { Logger } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Periodic } from './periodic.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('logs an expected failure as a warning and a defect as an error, and the job goes on', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const error = vi.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  const periodic = new Periodic();
  const job = vi
    .fn<() => Promise<void>>(() => Promise.resolve())
    .mockRejectedValueOnce(new TocsinError('unavailable', 'The database is away.'))
    .mockRejectedValueOnce(new TypeError('a defect'));
  periodic.every(1_000, 'sweep', job);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(job).toHaveBeenCalledTimes(3);
  expect(warn.mock.calls).toEqual([['sweep failed and is tried again: The database is away.']]);
  expect(error.mock.calls).toEqual([['sweep failed', new TypeError('a defect')]]);
  await periodic.stop();
});

it('waits on a stop for all that runs, and then runs nothing any more', async () => {
  const repeated = Promise.withResolvers<void>();
  const single = Promise.withResolvers<void>();
  const late = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const stopped = vi.fn<() => void>();
  const periodic = new Periodic();
  periodic.every(1_000, 'repeated', () => repeated.promise).nudge();
  periodic.once('single', () => single.promise);
  await vi.advanceTimersByTimeAsync(0);
  const stopping = periodic.stop().then(stopped);
  repeated.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stopped).not.toHaveBeenCalled();
  single.resolve();
  await stopping;
  periodic.every(1_000, 'late', late).nudge();
  periodic.once('late', late);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(late).not.toHaveBeenCalled();
});

it('tells a job that it is to stop, and logs the failure of a single run', async () => {
  const error = vi.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  const periodic = new Periodic();
  let told: AbortSignal | undefined;
  periodic.once('single', (stopping) => {
    told = stopping;
    return Promise.reject(new TypeError('a defect'));
  });
  expect(told?.aborted).toBe(false);
  await periodic.stop();
  expect(told?.aborted).toBe(true);
  expect(error.mock.calls).toEqual([['single failed', new TypeError('a defect')]]);
});
