import type { Socket } from 'node:net';

const FREE_READS = 32;
const CRUMB_BYTES = 1_024;
const PAUSE_MS = 10;

/**
 * Slows down a target that answers in crumbs: beyond the first few it is read a hundred times a second, as reads cost more
 * than bytes. Each of those takes all that has come, so that a server that streams row by row is as quick as its rows.
 */
export class ReadThrottle {
  private reads = 0;
  private pause: NodeJS.Timeout | undefined;

  constructor(private readonly socket: Socket) {}

  /** Counts one read of this many bytes. */
  took(bytes: number): void {
    if (++this.reads <= FREE_READS || bytes >= CRUMB_BYTES) return;
    this.socket.pause();
    this.pause = setTimeout(this.resume, PAUSE_MS);
  }

  /** Reads on, where no pause is under way. */
  readOn(): void {
    if (this.pause === undefined) this.socket.resume();
  }

  stop(): void {
    clearTimeout(this.pause);
  }

  private readonly resume = (): void => {
    this.pause = undefined;
    // While it does not flow, one read gives everything; its listener may begin the next pause.
    this.socket.read();
    this.readOn();
  };
}
