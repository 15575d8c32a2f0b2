import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figures.ts';
import { halfACore } from '../half-a-core.ts';

const HOSTILE = 43;
const HOSTILE_INTERVAL = '1s';
const HOSTILE_TIMEOUT = '2s';
const RAMP_MS = 15_000;
const MOST_SECONDS = 60;
const SWEEP_MS = 25_000;
const WINDOW_MS = 1_000;
const LOOK_EVERY_MS = 20;
/** As it is recorded. */
const UP = 0;

interface Others {
  ran: string;
  missed: string;
}

interface Row {
  due: string;
  started: string;
  verdict: number | null;
}

/**
 * One prober with half a core checks monitors whose targets do what they can to keep it busy. Beside them a healthy target is
 * checked every second, and counts who asks it.
 */
export async function hostile(bench: Bench): Promise<Figure[]> {
  const enemy = fork(new URL('../hostile-target.ts', import.meta.url).pathname, { execArgv: process.execArgv });
  try {
    const [{ port }] = (await once(enemy, 'message')) as [{ port: number }];
    const hits = bench.target.watch('canary');
    const canary = await bench.api.post<{ id: string }>(
      '/v1/monitors',
      bench.httpMonitor('canary', { interval: '1s', timeout: '1s' }, bench.target.url('canary')),
    );
    const assertions = [
      { type: 'json', path: '$..[?@..[?@..*]]..x', op: 'exists' },
      { type: 'body', op: 'matches', value: '(a?b?){60}c' },
    ];
    await bench.api.createMonitors(
      Array.from({ length: HOSTILE }, (_, n) => ({
        ...bench.httpMonitor(`hostile ${n}`, { interval: HOSTILE_INTERVAL, timeout: HOSTILE_TIMEOUT }),
        settings: { url: `http://127.0.0.1:${port}/${n}`, assertions },
      })),
    );
    return await measure(bench, { canary: canary.id, hits });
  } finally {
    enemy.disconnect();
  }
}

async function measure(bench: Bench, { canary, hits }: { canary: string; hits: readonly number[] }): Promise<Figure[]> {
  const { pid, health } = bench.instances.find(({ service }) => service === 'prober')!;
  const freed = halfACore(pid);
  await bench.pause(RAMP_MS);
  const from = Date.now();
  const cpuBefore = bench.cpu();
  const longestMs = await longestSilence(
    new URL('/health/live', health),
    Math.min(bench.options.seconds, MOST_SECONDS) * 1_000,
  );
  const to = Date.now();
  const used = bench.cpu().minus(cpuBefore).byPart['prober']!;
  const share = freed();
  await bench.pause(SWEEP_MS);
  const rows = await bench.sql<Row>(
    `SELECT due_at AS due, started_at AS started, verdict
       FROM incidents.results_v1 WHERE monitor_id = $1 AND due_at >= $2 AND due_at < $3 AND attempt = 0 ORDER BY due_at`,
    [canary, from, to - WINDOW_MS],
  );
  const [others] = await bench.sql<Others>(
    `SELECT count(verdict) AS ran, count(*) - count(verdict) AS missed
       FROM incidents.results_v1 WHERE monitor_id <> $1 AND due_at >= $2 AND due_at < $3 AND attempt = 0`,
    [canary, from, to - WINDOW_MS],
  );
  const unseen = rows.filter(({ due }) => !hits.some((at) => at >= Number(due) && at < Number(due) + WINDOW_MS));
  const late = rows.flatMap(({ due, started, verdict }) => (verdict === null ? [] : [Number(started) - Number(due)]));
  return [
    { name: 'share of the time that the prober ran', value: share * 100, unit: '%' },
    { name: 'CPU of the prober, of one core', value: (used / ((to - from) / 1_000)) * 100, unit: '%' },
    {
      name: "the canary's windows",
      value: rows.length,
      unit: '',
      aim: { atLeast: Math.floor((to - from) / WINDOW_MS) - 2 },
    },
    { name: 'of them missed, as its target saw it', value: unseen.length, unit: '', aim: { atMost: 0 } },
    {
      name: 'of them not up',
      value: rows.filter(({ verdict }) => verdict !== UP).length,
      unit: '',
      aim: { atMost: 0 },
    },
    { name: 'start lateness of the canary, at most', value: Math.max(...late), unit: 'ms', aim: { atMost: 500 } },
    { name: 'hostile checks', value: Number(others!.ran) / ((to - from) / 1_000), unit: '/s' },
    { name: 'hostile windows missed', value: Number(others!.missed), unit: '' },
    { name: "longest wait for the prober's health page", value: longestMs, unit: 'ms' },
  ];
}

/** What a page of the prober is waited for at most, while it is asked for again and again, in ms. */
async function longestSilence(page: URL, durationMs: number): Promise<number> {
  let longestMs = 0;
  for (const end = Date.now() + durationMs; Date.now() < end;) {
    const since = performance.now();
    await (await fetch(page)).text();
    longestMs = Math.max(longestMs, performance.now() - since);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return longestMs;
}
