import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from './back-off.ts';
import { say } from './progress.ts';
import type { RunningServer } from '@tocsin/testing/servers';

export interface SupervisorOptions {
  /** Called when the process has ended, and when another one runs. */
  changed?: () => void;
  /** Whether a start makes sense now; called again until it does. */
  mayStart?: () => Promise<boolean>;
  /** Is given a line for each end and each failed start. */
  tell?: (line: string) => void;
}

const PAUSE_MS = 250;
/** Exit code of a service that refuses its configuration: another start would not help. */
const BAD_CONFIGURATION = 78;

/** Keeps one process running: starts a crashed one again, with back-off, unless it is held. */
export class Supervisor {
  private held = false;
  private stopping = false;
  private reviving = false;
  private readonly backOff = new BackOff();
  private startedAt = performance.now();
  /** The next start is due at once. */
  private soon = false;
  /** Ends the wait before a start. */
  private wake = new AbortController();
  /** Why no restart can heal it. */
  gaveUp: string | undefined;

  /** @param server runs already, or is started by `start` */
  constructor(
    readonly name: string,
    readonly server: RunningServer,
    private readonly o: SupervisorOptions = {},
  ) {
    server.onCrash = (how, code) => this.crashed(how, code);
  }

  /** The first start. The process has its id at once. */
  start(): void {
    void this.startOnce();
  }

  /** From now on it is not started again when it ends. */
  hold(): void {
    this.held = true;
  }

  /** It is started again, at once when it does not run. */
  release(): void {
    this.held = false;
    this.backOff.reset();
    if (this.server.alive) return;
    this.soon = true;
    this.wake.abort();
    this.wake = new AbortController();
    void this.revive('was released');
  }

  /** Stops it in order, for good. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.abort();
    await this.server.stop();
  }

  private get wanted(): boolean {
    return !this.stopping && !this.held;
  }

  private crashed(how: string, code: number | null): void {
    this.o.changed?.();
    if (code === BAD_CONFIGURATION) this.gaveUp = `refuses its configuration; see ${this.server.logFile}`;
    else if (this.held) this.tell(`${this.name} ${how}; it is held (see ${this.server.logFile})`);
    else void this.revive(how);
  }

  private async revive(how: string): Promise<void> {
    if (this.reviving) return;
    this.reviving = true;
    for (let why = how; this.wanted && !this.server.alive; why = 'could not be started') {
      const wait = this.soon ? 0 : this.backOff.next(performance.now() - this.startedAt);
      this.soon = false;
      this.tell(`${this.name} ${why}; starting it again in ${wait} ms (see ${this.server.logFile})`);
      await delay(wait, undefined, { signal: this.wake.signal }).catch(() => undefined);
      while (this.wanted && !((await this.o.mayStart?.()) ?? true)) await delay(PAUSE_MS);
      if (this.wanted) await this.startOnce();
    }
    this.reviving = false;
    this.o.changed?.();
  }

  private async startOnce(): Promise<void> {
    this.startedAt = performance.now();
    await this.server.start().catch((error: unknown) => this.tell(`${this.name}: ${String(error)}`));
  }

  private tell(line: string): void {
    (this.o.tell ?? say)(line);
  }
}
