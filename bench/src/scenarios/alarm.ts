import type { Bench } from '../bench.ts';
import { type Figure, percentile } from '../figures.ts';

const RATE = 200;
const INTERVAL_SECONDS = 5;
const FAILURES = 200;
const RAMP_MS = 12_000;
const BETWEEN_MS = 100;

/** From the failing answer to the webhook's arrival, with a confirmation by a second prober in between. */
export async function alarm(bench: Bench): Promise<Figure[]> {
  const channel = await bench.api.post<{ id: string }>('/v1/channels', {
    kind: 'webhook',
    name: 'bench sink',
    settings: { url: bench.target.sinkUrl },
  });
  const names = Array.from({ length: RATE * INTERVAL_SECONDS }, (_, n) => `alarm-${n}`);
  await bench.api.createMonitors(
    names.map((name) =>
      bench.httpMonitor(name, { interval: `${INTERVAL_SECONDS}s`, channels: [channel.id] }, bench.target.url(name)),
    ),
  );
  await bench.pause(RAMP_MS);
  const broken = names.slice(0, FAILURES);
  for (const name of broken) {
    bench.target.fail([name]);
    await bench.pause(BETWEEN_MS);
  }
  const delays = await bench.target.delaysOf(broken, 30_000);
  return [
    { name: 'alarms that arrived', value: delays.length, unit: `of ${FAILURES}`, aim: { atLeast: FAILURES } },
    {
      name: 'failing answer to webhook, confirmed, p50',
      value: percentile(delays, 0.5),
      unit: 'ms',
      aim: { atMost: 60 },
    },
    {
      name: 'failing answer to webhook, confirmed, p99',
      value: percentile(delays, 0.99),
      unit: 'ms',
      aim: { atMost: 300 },
    },
  ];
}
