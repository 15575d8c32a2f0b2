import type { Bench } from '../bench.ts';
import type { Figure } from '../figures.ts';

const RAMP_MS = 15_000;
/** Windows that nobody answered are on record only once the sweep has been there. */
const SWEEP_MS = 25_000;
const INTERVAL_SECONDS = 5;

interface Row {
  ran: string;
  missed: string;
  /** Milliseconds from the due time to the start: p50, p99. */
  late: [string, string];
}

/** The sustained road from due window to committed result, and what a check of it costs. */
export async function road(bench: Bench): Promise<Figure[]> {
  const { rate, seconds } = bench.options;
  const bare = await bench.bareLoop(10);
  await bench.api.createMonitors(
    Array.from({ length: rate * INTERVAL_SECONDS }, (_, n) =>
      bench.httpMonitor(`road ${n}`, { interval: `${INTERVAL_SECONDS}s` }),
    ),
  );
  await bench.pause(RAMP_MS);
  const from = Date.now();
  const cpuBefore = bench.cpu();
  const depths = await bench.sampleQueues(seconds * 1000);
  const used = bench.cpu().minus(cpuBefore);
  const to = Date.now();
  await bench.pause(SWEEP_MS);
  const [row] = await bench.sql<Row>(
    // What was not run has no verdict, though it may have a time: that of its answer.
    `SELECT count(verdict) AS ran, count(*) - count(verdict) AS missed,
            percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY started_at - due_at)
              FILTER (WHERE verdict IS NOT NULL) AS late
       FROM incidents.results_v1 WHERE due_at >= $1 AND due_at < $2 AND attempt = 0`,
    [from, to],
  );
  const checks = Number(row!.ran);
  const perCheck = (used.total * 1000) / checks;
  const [p50, p99] = row!.late.map(Number);
  return [
    { name: 'bare loop, CPU per check', value: bare.cpuMsPerCheck, unit: 'ms' },
    {
      name: 'sustained checks, due window to committed result',
      value: checks / ((to - from) / 1000),
      unit: '/s',
      aim: { atLeast: rate * 0.99 },
    },
    { name: 'start lateness, p50', value: p50!, unit: 'ms' },
    { name: 'start lateness, p99', value: p99!, unit: 'ms', aim: { atMost: 500 } },
    { name: 'windows missed', value: Number(row!.missed), unit: '', aim: { atMost: 0 } },
    { name: 'messages waiting, first half of the run', value: mean(depths.slice(0, depths.length >> 1)), unit: '' },
    { name: 'messages waiting, second half of the run', value: mean(depths.slice(depths.length >> 1)), unit: '' },
    { name: 'CPU per check, everything', value: perCheck, unit: 'ms', aim: { atMost: 0.6 } },
    { name: 'CPU per check, everything, against the bare loop', value: perCheck / bare.cpuMsPerCheck, unit: '×' },
    ...Object.entries(used.byPart).map(([part, cpuSeconds]) => ({
      name: `CPU per check, ${part}`,
      value: (cpuSeconds * 1000) / checks,
      unit: 'ms',
    })),
  ];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
