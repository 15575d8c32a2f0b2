import { systemClock } from '@tocsin/core';
import { expect, test } from 'vitest';
import { Run } from '../run.ts';
import { paced } from './costly-work.ts';

const targets = { refusal: () => undefined };
const run = (timeoutMs: number): Run => new Run({ timeoutMs, clock: systemClock, targets, openSecret: (text) => text });

function busy(ms: number): { from: number; to: number } {
  const from = performance.now();
  while (performance.now() - from < ms);
  return { from, to: performance.now() };
}

test('costly pieces of work leave four times as long for everything else as each of them took', async () => {
  const done = await Promise.all([40, 40, 40].map((ms) => run(5_000).carryOut((own) => paced(own, () => busy(ms)))));
  const pieces = done.toSorted((a, b) => a.from - b.from);
  for (const [n, piece] of pieces.slice(1).entries()) {
    const before = pieces[n]!;
    expect(piece.from - before.to).toBeGreaterThanOrEqual(4 * (before.to - before.from) - 1);
  }
});

test('one whose turn does not come in time says that its prober is too busy', async () => {
  await run(5_000).carryOut((own) => paced(own, () => busy(100)));
  const late = run(50).carryOut((own) => paced(own, () => 'never'));
  await expect(late).rejects.toMatchObject({ reason: 'resources' });
});

test('short ones wait for nobody', async () => {
  await run(5_000).carryOut(async (own) => {
    await paced(own, () => undefined); // after those of the tests before
    const since = performance.now();
    for (let n = 0; n < 100; n += 1) await paced(own, () => undefined);
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});
