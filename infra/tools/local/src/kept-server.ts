import { setTimeout as delay } from 'node:timers/promises';
import type { RunningServer } from '@tocsin/testing/servers';
import { BackOff } from './back-off.ts';
import { say } from './progress.ts';

const PAUSE_MS = 250;

/** Keeps one server running: a crashed one is started again, with back-off, unless it is held. */
export class KeptServer {
  private held = false;
  private stopping = false;
  private reviving = false;
  private readonly backOff = new BackOff();
  private startedAt = performance.now();
  /** The next start is due at once. */
  private soon = false;
  /** Ends the wait before a start. */
  private wake = new AbortController();

  constructor(
    readonly name: string,
    readonly server: RunningServer,
    private readonly changed: () => void,
    /** Whether a start makes sense now; asked again until it does. */
    private readonly mayStart: () => Promise<boolean> = () => Promise.resolve(true),
  ) {
    server.onCrash = () => this.revive();
  }

  /** From now on it is not started again when it ends. */
  hold(): void {
    this.held = true;
  }

  /** It is started again, at once when it does not run. */
  release(): void {
    this.held = false;
    if (this.server.alive) return;
    this.backOff.reset();
    this.soon = true;
    this.wake.abort();
    this.wake = new AbortController();
    void this.revive();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.abort();
    await this.server.stop();
  }

  private async revive(): Promise<void> {
    this.changed();
    if (this.reviving) return;
    this.reviving = true;
    while (!this.stopping && !this.held && !this.server.alive) {
      const wait = this.soon ? 0 : this.backOff.next(performance.now() - this.startedAt);
      this.soon = false;
      say(`${this.name} ended; starting it again in ${wait} ms`);
      await delay(wait, undefined, { signal: this.wake.signal }).catch(() => undefined);
      await this.possible();
      if (!this.stopping && !this.held) await this.startOnce();
    }
    this.reviving = false;
    this.changed();
  }

  /** Waits for as long as a start makes no sense. */
  private async possible(): Promise<void> {
    while (!this.stopping && !this.held && !(await this.mayStart())) await delay(PAUSE_MS);
  }

  private async startOnce(): Promise<void> {
    this.startedAt = performance.now();
    await this.server.start().catch((error: unknown) => say(`${this.name}: ${String(error)}`));
  }
}
