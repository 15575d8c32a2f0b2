import { spawn, type ChildProcess } from 'node:child_process';
import { guard, unguard } from '@tocsin/testing/servers';
import { BackOff } from './back-off.ts';
import { BoundedLog } from './bounded-log.ts';

/** One instance of a service, to be kept running. */
export interface InstanceSpec {
  service: string;
  instance: string;
  port: number;
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** How long it may take to stop in order. */
  stopMs?: number;
}

/** Told of what happens to an instance; `pid` is that of the new process. */
export interface SupervisionEvents {
  started?(instance: Supervised): void;
  /** `restartInMs` is undefined for one that is held. */
  ended?(instance: Supervised, how: string, restartInMs: number | undefined): void;
}

/** Exit code of a service that refuses its configuration: starting it again would not help. */
const BAD_CONFIGURATION = 78;

/** Keeps one instance running: a crashed one is started again, with back-off, on the same port. */
export class Supervised {
  private child: ChildProcess | undefined;
  private restart: NodeJS.Timeout | undefined;
  private stopping = false;
  private held = false;
  private readonly backOff = new BackOff();
  private readonly log: BoundedLog;
  /** Set when it ended in a way that no restart heals. */
  gaveUp: string | undefined;

  constructor(
    readonly spec: InstanceSpec,
    private readonly events: SupervisionEvents = {},
  ) {
    this.log = new BoundedLog(spec.logFile);
  }

  /** The id of the running process; -1 between two. */
  get pid(): number {
    return this.alive ? (this.child?.pid ?? -1) : -1;
  }

  get health(): string {
    return `http://127.0.0.1:${this.spec.port}/health/ready`;
  }

  start(): void {
    if (this.stopping || this.held || this.alive) return;
    const startedAt = performance.now();
    const { command, args, cwd, env } = this.spec;
    const child = this.log.lend((log) =>
      spawn(command, args, { cwd, env, stdio: ['ignore', log, log], detached: true }),
    );
    this.child = child;
    child.once('error', () => this.again(startedAt, 'could not be run'));
    const { pid } = child;
    if (pid === undefined) return;
    guard(pid, 'SIGTERM');
    child.once('exit', (code, signal) => {
      unguard(pid);
      if (code === BAD_CONFIGURATION) this.gaveUp = `refuses its configuration; see ${this.spec.logFile}`;
      this.again(startedAt, signal ? `was ended by ${signal}` : `ended with code ${code}`);
    });
    this.events.started?.(this);
  }

  /** From now on it is not started again when it ends. */
  hold(): void {
    this.held = true;
    clearTimeout(this.restart);
  }

  /** It is started again, at once when it does not run. */
  release(): void {
    this.held = false;
    this.backOff.reset();
    clearTimeout(this.restart);
    this.start();
  }

  /** Asks it to stop, waits, and kills it when the time is over. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    const { child } = this;
    if (child && this.alive) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), this.spec.stopMs ?? 12_000);
      await gone;
      clearTimeout(forced);
    }
    this.log.close();
  }

  private get alive(): boolean {
    return this.child?.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private again(startedAt: number, how: string): void {
    if (this.stopping || this.gaveUp) return;
    if (this.held) return this.events.ended?.(this, how, undefined);
    const wait = this.backOff.next(performance.now() - startedAt);
    this.events.ended?.(this, how, wait);
    this.restart = setTimeout(() => this.start(), wait);
  }
}
