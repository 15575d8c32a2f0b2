import type { NatsConnection } from '@nats-io/transport-node';
import { systemClock } from '@tocsin/core';

const TICK_MS = 250;
const PING_EVERY_MS = 500;
/** After this long without an answer to a ping or any other message, the server or the way to it is gone. */
const SILENCE_MS = 1_500;
/** After this long we hear something, but our pings do not arrive: the link is cut in one direction. */
const DEAF_MS = 5_000;

/**
 * Detects within about two seconds that a server is frozen or its host cut off, which the socket does not tell. It is the one
 * watchdog of the connection, and everything that waits for an answer relies on it.
 */
export class Liveness {
  /** The last measured round trip. */
  rttMs: number | undefined;
  private tickedAt = systemClock.monotonic();
  private heardAt = systemClock.monotonic();
  private inMsgs = 0;
  private ping: { sentAt: number } | undefined;
  private lastPingAt = Number.NEGATIVE_INFINITY;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly nats: NatsConnection,
    private readonly isUp: () => boolean,
    private readonly drop: (why: string) => void,
  ) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = systemClock.monotonic();
    const stoodStill = now - this.tickedAt > 4 * TICK_MS;
    this.tickedAt = now;
    if (!this.isUp()) {
      this.ping = undefined;
      return;
    }
    const { inMsgs } = this.nats.stats();
    if (inMsgs !== this.inMsgs) this.heardAt = now;
    this.inMsgs = inMsgs;
    // This process stood still and has not read what arrived meanwhile, so it cannot judge the server.
    if (stoodStill) this.ping = undefined;
    if (!this.ping && now - this.lastPingAt >= PING_EVERY_MS) return this.send(now);
    if (!this.ping) return;
    const unanswered = now - this.ping.sentAt;
    if ((unanswered > SILENCE_MS && now - this.heardAt > SILENCE_MS) || unanswered > DEAF_MS) {
      this.ping = undefined;
      this.drop(`no answer to a ping for ${Math.round(unanswered)} ms`);
    }
  }

  private send(now: number): void {
    const ping = { sentAt: now };
    this.ping = ping;
    this.lastPingAt = now;
    this.nats.flush().then(
      () => {
        if (this.ping !== ping) return;
        this.ping = undefined;
        this.rttMs = systemClock.monotonic() - ping.sentAt;
      },
      () => {
        if (this.ping === ping) this.ping = undefined;
      },
    );
  }
}
