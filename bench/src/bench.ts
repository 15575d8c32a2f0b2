import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { ApiClient, type StartedTocsin, startTocsin, until } from '@tocsin/testing';

import { BenchTarget } from './bench-target.ts';
import { cpuSeconds } from './processes.ts';

export interface BenchOptions {
  /** Checks per second of the road scenario. */
  rate: number;
  /** How long the road is measured. */
  seconds: number;
}

interface Instance {
  service: string;
  instance: string;
  pid: number;
  health: string;
}

/** CPU seconds by part of the system at one moment. */
class Cpu {
  constructor(readonly byPart: Record<string, number>) {}

  get total(): number {
    return Object.values(this.byPart).reduce((sum, seconds) => sum + seconds, 0);
  }

  minus(earlier: Cpu): Cpu {
    return new Cpu(
      Object.fromEntries(Object.entries(this.byPart).map(([part, used]) => [part, used - (earlier.byPart[part] ?? 0)])),
    );
  }
}

/** A running Tocsin with its target, and what scenarios measure it with. */
export class Bench {
  readonly api: ApiClient;
  private readonly database: pg.Pool;

  private constructor(
    readonly options: BenchOptions,
    private readonly tocsin: StartedTocsin,
    readonly target: BenchTarget,
  ) {
    this.api = new ApiClient(tocsin.gateways, tocsin.token);
    this.database = new pg.Pool({ connectionString: tocsin.databaseUrl, max: 2 });
  }

  /** Starts everything in a temporary folder, with so many instances of each sub-service. */
  static async start(options: BenchOptions, instances: number): Promise<Bench> {
    const tocsin = await startTocsin({ instances });
    const target = await BenchTarget.start();
    return new Bench(options, tocsin, target);
  }

  async stop(): Promise<void> {
    await this.database.end();
    this.target.stop();
    await this.tocsin.stop();
  }

  get instances(): Instance[] {
    return this.tocsin.runtime.instances;
  }

  httpMonitor(name: string, over: Record<string, unknown> = {}, url = this.target.url('ok')) {
    return { kind: 'http', name, timeout: '5s', settings: { url }, ...over };
  }

  cpu(): Cpu {
    const byPart: Record<string, number> = {};
    for (const { service, pid } of this.instances) byPart[service] = (byPart[service] ?? 0) + cpuSeconds(pid);
    for (const [name, { pid }] of Object.entries(this.tocsin.runtime.servers)) byPart[name] = cpuSeconds(pid);
    return new Cpu(byPart);
  }

  async sql<T extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<T[]> {
    return (await this.database.query<T>(text, values)).rows;
  }

  /** How many messages wait in the streams, every five seconds: asking costs every instance an answer. */
  async sampleQueues(durationMs: number): Promise<number[]> {
    const depths: number[] = [];
    const end = Date.now() + durationMs;
    while (Date.now() < end) {
      const { queues } = await this.api.get<{ queues: { stream: string; messages: number }[] }>('/v1/system');
      const waiting = queues.filter(({ stream }) => ['CHECKS', 'RESULTS'].includes(stream));
      depths.push(waiting.reduce((sum, { messages }) => sum + messages, 0));
      await this.pause(5_000);
    }
    return depths;
  }

  /** Runs the bare loop of plain Node against the same target. */
  async bareLoop(seconds: number): Promise<{ perSecond: number; cpuMsPerCheck: number }> {
    const script = new URL('./bare-loop.ts', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...process.execArgv,
      script,
      this.target.url('ok'),
      String(seconds),
    ]);
    return JSON.parse(stdout) as { perSecond: number; cpuMsPerCheck: number };
  }

  /** Milliseconds of each of a number of calls, one after the other. */
  async time(times: number, call: () => Promise<unknown>): Promise<number[]> {
    const took: number[] = [];
    for (let i = 0; i < times; i++) {
      const startedAt = performance.now();
      await call();
      took.push(performance.now() - startedAt);
    }
    return took;
  }

  /** Stops the schedulers and measures from the start of the new ones until they hold every monitor and every shard. */
  async restartSchedulers(monitors: number): Promise<number> {
    const schedulers = this.instances.filter(({ service }) => service === 'scheduler');
    for (const { pid } of schedulers) process.kill(pid, 'SIGKILL');
    return until(
      async () => {
        const reports = await Promise.all(schedulers.map(({ health }) => scheduleOf(health)));
        if (reports.some((report) => report === undefined || schedulers.some(({ pid }) => pid === report.pid))) return;
        const shards = new Set(reports.flatMap((report) => report!.shards));
        if (shards.size < 8 || reports.some((report) => report!.monitors < monitors)) return;
        return Date.now() - Math.min(...reports.map((report) => report!.startedAt));
      },
      { timeoutMs: 60_000, what: 'all monitors scheduled again' },
    );
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

interface ScheduleReport {
  pid: number;
  startedAt: number;
  monitors: number;
  shards: number[];
}

async function scheduleOf(health: string): Promise<ScheduleReport | undefined> {
  try {
    const report = (await (await fetch(health)).json()) as {
      pid: number;
      startedAt: number;
      dependencies: { schedule?: { monitors: number; shards: number[] } };
    };
    const { schedule } = report.dependencies;
    return schedule && { pid: report.pid, startedAt: report.startedAt, ...schedule };
  } catch {
    return undefined;
  }
}
