import type { Figure } from '../figures.ts';
import type { Bench } from '../bench.ts';
import { residentMb } from '../processes.ts';

const SETTLE_MS = 20_000;
const MEASURE_MS = 30_000;
const MONITORS = 10;

/** What Tocsin costs when there is next to nothing to do. */
export async function atRest(bench: Bench): Promise<Figure[]> {
  await bench.api.createMonitors(
    Array.from({ length: MONITORS }, (_, n) => bench.httpMonitor(`rest ${n}`, { interval: '1m' })),
  );
  await bench.pause(SETTLE_MS);
  const before = bench.cpu();
  await bench.pause(MEASURE_MS);
  const used = bench.cpu().minus(before);
  const resident = bench.instances.map(({ instance, pid }) => ({ instance, mb: residentMb(pid) }));
  const largest = resident.reduce((a, b) => (a.mb > b.mb ? a : b));
  return [
    {
      name: `resident memory of the largest sub-service (${largest.instance})`,
      value: largest.mb,
      unit: 'MB',
      aim: { atMost: 120 },
    },
    {
      name: `CPU at rest, ${MONITORS} monitors, all processes, of one core`,
      value: (used.total / (MEASURE_MS / 1000)) * 100,
      unit: '%',
      aim: { atMost: 10 },
    },
    ...Object.entries(used.byPart).map(([part, seconds]) => ({
      name: `CPU at rest, ${part}`,
      value: (seconds / (MEASURE_MS / 1000)) * 100,
      unit: '%',
    })),
  ];
}
