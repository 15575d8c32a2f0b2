import type { Bench } from '../bench.ts';
import { type Figure, percentile } from '../figures.ts';

const MONITORS = 10_000;
const READS = 300;

/** Ten thousand monitors: how soon a started scheduler has them all, and how the API reads. */
export async function scale(bench: Bench): Promise<Figure[]> {
  await bench.api.createMonitors(
    Array.from({ length: MONITORS }, (_, n) => bench.httpMonitor(`scale ${n}`, { interval: '5m' })),
  );
  await bench.pause(5_000);
  const list = await bench.time(READS, () => bench.api.get('/v1/monitors?limit=100'));
  const summary = await bench.time(READS, () => bench.api.get('/v1/summary'));
  const scheduledMs = await bench.restartSchedulers(MONITORS);
  return [
    {
      name: `all ${MONITORS} monitors scheduled, from the start of the schedulers`,
      value: scheduledMs / 1000,
      unit: 's',
      aim: { atMost: 5 },
    },
    { name: 'list of 100 monitors, p99', value: percentile(list, 0.99), unit: 'ms', aim: { atMost: 50 } },
    { name: 'summary, p99', value: percentile(summary, 0.99), unit: 'ms', aim: { atMost: 50 } },
  ];
}
