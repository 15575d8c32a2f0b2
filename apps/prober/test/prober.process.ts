import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atTheEnd, until } from '@tocsin/testing';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A prober from source in a process of its own. */
export class ProberProcess {
  private text = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
  }

  /** Starts one, for the test that is running only, and waits until it takes tasks. */
  static async during(env: Record<string, string>, files?: number): Promise<ProberProcess> {
    const prober = await ProberProcess.start(env, files);
    onTestFinished(async () => {
      prober.kill();
      await prober.exit();
    });
    return prober;
  }

  /** Starts one and waits until it takes tasks. */
  static async start(env: Record<string, string>, files?: number): Promise<ProberProcess> {
    const prober = ProberProcess.spawn(env, files);
    await until(() => prober.text.includes('"msg":"ready"'), {
      timeoutMs: 30_000,
      what: 'the prober to be ready',
    }).catch((cause: unknown) => {
      throw new Error(`the prober did not start:\n${prober.text}`, { cause });
    });
    return prober;
  }

  /** @param files how many files it may have open, sockets included */
  static spawn(env: Record<string, string>, files?: number): ProberProcess {
    const node = [process.execPath, '--import', '@oxc-node/core/register', main];
    const limited = files === undefined ? node : ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...node];
    const child = spawn(limited[0]!, limited.slice(1), {
      // The targets of tests are on loopback, which is denied by default.
      env: { PATH: process.env['PATH'], TOCSIN_TARGETS_ALLOW: '127.0.0.0/8,::1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    atTheEnd(() => void child.kill('SIGKILL'));
    return new ProberProcess(child);
  }

  get logs(): string {
    return this.text;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get port(): number {
    return Number(/"port":(\d+)/.exec(this.text)?.[1]);
  }

  /** Ends it as a crash would. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Tells it to stop and waits for its exit code. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exit();
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}
