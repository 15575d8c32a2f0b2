import { systemClock } from '@tocsin/core';
import { expect, test } from 'vitest';
import { Run } from './run.ts';

/** How long a run says that it held up its process with a piece of work. */
async function heldUpBy(piece: () => void): Promise<number> {
  let heldUpMs = 0;
  const targets = { refusal: () => undefined };
  const heldUp = (ms: number): void => void (heldUpMs += ms);
  const context = { timeoutMs: 5_000, clock: systemClock, targets, openSecret: String, heldUp };
  await new Run(context).carryOut(async (run) => run.work(piece));
  return heldUpMs;
}

test('work that takes long holds up its process', async () => {
  const busy = (): void => {
    for (const before = process.threadCpuUsage().user; process.threadCpuUsage().user - before < 60_000;);
  };
  expect(await heldUpBy(busy)).toBeGreaterThanOrEqual(60);
});

test('a process that stands still in the midst of a piece of work was not held up by it', async () => {
  const standing = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  expect(await heldUpBy(standing)).toBe(0);
});
