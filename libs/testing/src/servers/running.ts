import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BoundedLog } from './bounded-log.ts';
import { guard, unguard } from './watchdog.ts';

/** How to run one server. */
export interface ServerSpec {
  name: string;
  url: string;
  port: number;
  command: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stopSignal: NodeJS.Signals;
  /** How long it may take to stop in order; 10 s by default. */
  stopMs?: number;
  logFile: string;
  /** One working write through a client's path; throws while the server is not ready. Without it nobody waits for that. */
  ready?(): Promise<void>;
}

const READY_MS = 20_000;
const STOP_MS = 10_000;

/** A server of ours, a child of this process that never outlives it. */
export class RunningServer {
  private child: ChildProcess | undefined;
  /** True while it runs as it should: an end now is a crash. */
  private steady = false;
  /** Called when it ends without having been told to: how, and with which exit code. */
  onCrash: ((how: string, code: number | null) => void) | undefined;

  constructor(private readonly spec: ServerSpec) {}

  get url(): string {
    return this.spec.url;
  }

  get port(): number {
    return this.spec.port;
  }

  get logFile(): string {
    return this.spec.logFile;
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
    this.steady = this.spec.ready === undefined;
    if (!this.spec.ready) return;
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

  /** Stops it in order; kills it when it has not stopped in its time. */
  async stop(): Promise<void> {
    this.steady = false;
    if (!this.alive) return;
    const gone = this.gone();
    this.child?.kill('SIGCONT');
    this.child?.kill(this.spec.stopSignal);
    const forced = setTimeout(() => this.child?.kill('SIGKILL'), this.spec.stopMs ?? STOP_MS);
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
    const { command, args, cwd, env, stopSignal, logFile } = this.spec;
    const log = new BoundedLog(logFile);
    const child = log.lend((file) =>
      // A process group of its own: Ctrl-C reaches only us, and we stop things in order.
      spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', file, file], detached: true }),
    );
    const { pid } = child;
    if (pid !== undefined) guard(pid, stopSignal);
    const over = (how: string, code: number | null): void => {
      log.close();
      if (pid !== undefined) unguard(pid);
      const crashed = this.steady;
      this.steady = false;
      if (crashed) this.onCrash?.(how, code);
    };
    child.on('error', () => over('could not be run', null));
    child.once('exit', (code, signal) => over(signal ? `was ended by ${signal}` : `ended with code ${code}`, code));
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
