import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Loop } from './loop.ts';

const PERIOD_MS = 1_000;
let loop: Loop | undefined;

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await loop?.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const ignore = () => undefined;

/** Work that ends when a test says so. */
function heldWork() {
  const begun: PromiseWithResolvers<void>[] = [];
  const work = vi.fn<() => Promise<void>>(() => {
    const run = Promise.withResolvers<void>();
    begun.push(run);
    return run.promise;
  });
  return { work, end: () => begun.at(-1)?.resolve() };
}

it('runs one period after it was made, and one period after each run ends', async () => {
  const { work, end } = heldWork();
  loop = new Loop(PERIOD_MS, work, ignore);
  await pass(PERIOD_MS - 1);
  expect(work).toHaveBeenCalledTimes(0);
  await pass(5 * PERIOD_MS);
  expect(work).toHaveBeenCalledTimes(1);
  end();
  await pass(PERIOD_MS - 1);
  expect(work).toHaveBeenCalledTimes(1);
  await pass(1);
  expect(work).toHaveBeenCalledTimes(2);
  end();
});

it('tells of a failure, and runs again in its time', async () => {
  const failures: unknown[] = [];
  const work = vi.fn<() => Promise<void>>(() => Promise.reject(new Error('broken')));
  loop = new Loop(PERIOD_MS, work, (error) => failures.push(error));
  await pass(2 * PERIOD_MS);
  expect(failures).toEqual([new Error('broken'), new Error('broken')]);
});

it('asks for the period after each run, and says whether that failed', async () => {
  const period = vi.fn<(failed: boolean) => number>((failed) => (failed ? 10 : PERIOD_MS));
  const work = vi.fn<() => Promise<void>>(() => Promise.resolve()).mockRejectedValueOnce(new Error('broken'));
  loop = new Loop(period, work, ignore);
  await pass(PERIOD_MS + 10);
  expect(work).toHaveBeenCalledTimes(2);
  expect(period.mock.calls).toEqual([[false], [true], [false]]);
});

it('runs at once when it is nudged, and not a second time for the period that was cut short', async () => {
  const work = vi.fn<() => Promise<void>>(() => Promise.resolve());
  loop = new Loop(PERIOD_MS, work, ignore);
  loop.nudge();
  await pass(0);
  expect(work).toHaveBeenCalledTimes(1);
  await pass(PERIOD_MS - 1);
  expect(work).toHaveBeenCalledTimes(1);
});

it('runs once more for all the nudges of a run, as soon as that ends', async () => {
  const { work, end } = heldWork();
  loop = new Loop(PERIOD_MS, work, ignore);
  await pass(PERIOD_MS);
  loop.nudge();
  loop.nudge();
  expect(work).toHaveBeenCalledTimes(1);
  end();
  await pass(0);
  expect(work).toHaveBeenCalledTimes(2);
  end();
  await pass(PERIOD_MS - 1);
  expect(work).toHaveBeenCalledTimes(2);
});

it('tells the run under way of a stop, waits for its end, and begins no other, though it was nudged', async () => {
  const run = Promise.withResolvers<void>();
  const work = vi.fn<(stopping: AbortSignal) => Promise<boolean>>((stopping) =>
    run.promise.then(() => stopping.aborted),
  );
  loop = new Loop(PERIOD_MS, work, ignore);
  await pass(PERIOD_MS);
  loop.nudge();
  const stopped = vi.fn<() => void>();
  const stopping = loop.stop().then(stopped);
  await pass(PERIOD_MS);
  expect(stopped).not.toHaveBeenCalled();
  run.resolve();
  await stopping;
  loop.nudge();
  await pass(2 * PERIOD_MS);
  expect(work).toHaveBeenCalledTimes(1);
  await expect(work.mock.results[0]?.value).resolves.toBe(true);
});

it('runs nothing when it is stopped before its first run', async () => {
  const work = vi.fn<() => Promise<void>>(() => Promise.resolve());
  loop = new Loop(PERIOD_MS, work, ignore);
  await loop.stop();
  expect(vi.getTimerCount()).toBe(0);
  await pass(2 * PERIOD_MS);
  expect(work).not.toHaveBeenCalled();
});
