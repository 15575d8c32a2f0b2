import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guard, unguard } from './watchdog.ts';

/** How to run one server. */
export interface ServerSpec {
  name: string;
  url: string;
  port: number;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  stopSignal: NodeJS.Signals;
  logFile: string;
  /** One working write through a client's path; throws while the server is not ready. */
  ready(): Promise<void>;
}

const READY_MS = 20_000;
const STOP_MS = 10_000;
const LOG_BYTES = 5_000_000;

/** A server of ours, a child of this process that never outlives it. */
export class RunningServer {
  private child: ChildProcess | undefined;
  /** True while it runs as it should: an end now is a crash. */
  private steady = false;
  /** Called when it ends without having been told to. */
  onCrash: (() => void | Promise<void>) | undefined;

  constructor(private readonly spec: ServerSpec) {}

  get url(): string {
    return this.spec.url;
  }

  get port(): number {
    return this.spec.port;
  }

  /** The id of the running process; -1 when it does not run. */
  get pid(): number {
    return this.alive ? (this.child?.pid ?? -1) : -1;
  }

  /** The child process of the last start. */
  get process(): ChildProcess | undefined {
    return this.child;
  }

  get alive(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /**
   * Starts the process and waits until a write through it works.
   * @throws when it ends or is not ready within 20 s, with the end of its log.
   */
  async start(): Promise<void> {
    if (this.alive) return;
    this.child = this.launch();
    const deadline = Date.now() + READY_MS;
    let last: unknown;
    while (Date.now() < deadline && this.alive) {
      try {
        await this.spec.ready();
        this.steady = true;
        return;
      } catch (error) {
        last = error;
        await delay(15);
      }
    }
    const ended = !this.alive;
    await this.stop();
    throw new Error(`${this.spec.name} ${ended ? 'ended at its start' : 'was not ready in time'}:\n${this.logTail()}`, {
      cause: last,
    });
  }

  /** Stops it in order; kills it when it has not stopped after 10 s. */
  async stop(): Promise<void> {
    this.steady = false;
    if (!this.alive) return;
    const gone = this.gone();
    this.child?.kill('SIGCONT');
    this.child?.kill(this.spec.stopSignal);
    const forced = setTimeout(() => this.child?.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(forced);
  }

  /** Sends a signal; resolves when it has ended the process (SIGKILL, SIGTERM …), or stopped it (SIGSTOP, on Linux). */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.alive) return;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    if (ends) this.steady = false;
    const gone = this.gone();
    this.child?.kill(signal);
    if (ends) await gone;
    if (signal === 'SIGSTOP') await this.stands();
  }

  /** A busy kernel delivers SIGSTOP late, and until then the process answers. */
  private async stands(): Promise<void> {
    const file = `/proc/${this.pid}/stat`;
    const moves = (): boolean => existsSync(file) && /\) [^TZ] /.test(readFileSync(file, 'utf8'));
    for (let tries = 0; tries < 1_000 && moves(); tries += 1) await delay(1);
  }

  /** Stops it when it runs and starts it again on the same port with the same data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  private launch(): ChildProcess {
    mkdirSync(dirname(this.spec.logFile), { recursive: true });
    const log = openSync(this.spec.logFile, sizeOf(this.spec.logFile) > LOG_BYTES ? 'w' : 'a', 0o600);
    const child = spawn(this.spec.command, this.spec.args, {
      env: this.spec.env ?? process.env,
      stdio: ['ignore', log, log],
      // A process group of its own: Ctrl-C reaches only us, and we stop things in order.
      detached: true,
    });
    closeSync(log);
    child.on('error', () => undefined);
    const { pid } = child;
    if (pid !== undefined) {
      guard(pid, this.spec.stopSignal);
      child.once('exit', () => {
        unguard(pid);
        if (this.steady) void this.onCrash?.();
        this.steady = false;
      });
    }
    return child;
  }

  private gone(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.alive) return resolve();
      this.child?.once('exit', () => resolve());
    });
  }

  private logTail(): string {
    try {
      return readFileSync(this.spec.logFile, 'utf8').slice(-2_000).trim() || '(its log is empty)';
    } catch {
      return `(no log; could ${this.spec.command} be run at all?)`;
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
