import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Told =
  | { port: number }
  | { failedAt: [string, number] }
  | { hit: string; at: number }
  | { arrived: { monitor?: { name?: string } }; at: number };

/** The target and webhook receiver in their own process (see target.ts), seen from here. */
export class BenchTarget {
  private readonly failedAt = new Map<string, number>();
  private readonly arrivedAt = new Map<string, number>();
  private readonly hitAt = new Map<string, number[]>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    child.on('message', (told: Told) => {
      if ('failedAt' in told) this.failedAt.set(...told.failedAt);
      else if ('hit' in told) this.hitAt.get(told.hit)?.push(told.at);
      else if ('arrived' in told) {
        const name = told.arrived.monitor?.name;
        if (name !== undefined && !this.arrivedAt.has(name)) this.arrivedAt.set(name, told.at);
      }
    });
  }

  static async start(): Promise<BenchTarget> {
    const child = fork(new URL('./target.ts', import.meta.url).pathname, { execArgv: process.execArgv });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new BenchTarget(child, port);
  }

  get sinkUrl(): string {
    return `http://127.0.0.1:${this.port}/sink`;
  }

  url(name: string): string {
    return `http://127.0.0.1:${this.port}/t/${name}`;
  }

  fail(names: readonly string[]): void {
    this.child.send({ fail: names });
  }

  /** Notes from now on when a target is asked. @returns the times, in ms since the epoch, to which more are added */
  watch(name: string): readonly number[] {
    const hits: number[] = [];
    this.hitAt.set(name, hits);
    this.child.send({ watch: name });
    return hits;
  }

  /** From each target's first failing answer to its first webhook; those that arrived within the time. */
  async delaysOf(names: readonly string[], timeoutMs: number): Promise<number[]> {
    const end = Date.now() + timeoutMs;
    while (names.some((name) => !this.arrivedAt.has(name)) && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return names
      .filter((name) => this.arrivedAt.has(name) && this.failedAt.has(name))
      .map((name) => this.arrivedAt.get(name)! - this.failedAt.get(name)!);
  }

  stop(): void {
    this.child.disconnect();
  }
}
