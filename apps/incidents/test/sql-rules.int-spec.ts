import { OUTCOME_CODES, OUTCOME_NAMES, settleMs, windowsIn } from '@tocsin/core';
import { aMonitor } from '@tocsin/testing';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

/** The rules that migration 008 holds in SQL, compared with those of core. */
const DAY = 86_400_000;
const clock = new TestClock();
let one: Instance;
beforeAll(async () => {
  one = (await bench(clock)).instance();
});

const interval = fc.oneof(fc.integer({ min: 1_000, max: DAY }), fc.constantFrom(1_000, 10_000, 59_999, 60_000, 60_001));

it('a window may wait for its end as long in SQL as in TypeScript', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(interval, { minLength: 1, maxLength: 100 }), async (intervals) => {
      const rows = await one.database.query<{ ms: number }>(
        'SELECT settle_ms(i) AS ms FROM unnest($1::bigint[]) WITH ORDINALITY AS t (i, n) ORDER BY n',
        [intervals],
      );
      expect(rows.map(({ ms }) => ms)).toEqual(intervals.map(settleMs));
    }),
    { numRuns: 20 },
  );
});

it('a range holds as many windows of a grid in SQL as in TypeScript', async () => {
  // Ends at and beside a due time, which is where the two could differ.
  const end = fc.record({ window: fc.integer({ min: 1, max: 100 }), beside: fc.constantFrom(-1, 0, 1) });
  const range = fc
    .record({ intervalMs: interval, phase: fc.nat(DAY), from: end, to: end })
    .map(({ intervalMs, phase, from, to }) => {
      const phaseMs = phase % intervalMs;
      const at = ({ window, beside }: typeof from): number => phaseMs + window * intervalMs + beside;
      return { grid: { intervalMs, phaseMs }, from: at(from), to: at(to) };
    });
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 100 }), async (ranges) => {
      const rows = await one.database.query<{ n: number }>(
        `SELECT windows_in(i, p, f, t) AS n FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
           WITH ORDINALITY AS r (i, p, f, t, nth) ORDER BY nth`,
        [
          ranges.map(({ grid }) => grid.intervalMs),
          ranges.map(({ grid }) => grid.phaseMs),
          ranges.map(({ from }) => from),
          ranges.map(({ to }) => to),
        ],
      );
      expect(rows.map(({ n }) => n)).toEqual(ranges.map(({ grid, from, to }) => windowsIn(grid, from, to)));
    }),
    { numRuns: 20 },
  );
});

it('coverage counts each outcome under its own name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...OUTCOME_NAMES), { maxLength: 12 }), async (outcomes) => {
      const monitor = aMonitor({ createdAt: clock.at - 600_000 });
      await one.config(monitor);
      await one.database.query(
        `INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, started_at, reason, message, prober)
         SELECT $1, $2::bigint + n, 'a', 0, outcome, true, $2, '', '', '' FROM unnest($3::smallint[])
           WITH ORDINALITY AS o (outcome, n)`,
        [monitor.id, clock.at - 1_000, outcomes.map((name) => OUTCOME_CODES[name])],
      );
      const [counted] = await one.database.query(
        'SELECT ran, late, missed, excused FROM coverage_of_v1($1, $2, $3, $3)',
        [monitor.id, clock.at - 600_000, clock.at],
      );
      const count = (name: string): number => outcomes.filter((outcome) => outcome === name).length;
      expect(counted).toEqual(Object.fromEntries(OUTCOME_NAMES.map((name) => [name, count(name)])));
    }),
    { numRuns: 20 },
  );
});
