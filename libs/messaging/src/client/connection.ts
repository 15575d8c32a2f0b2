import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { Logger } from '@nestjs/common';
import { sleep, systemClock, TocsinError } from '@tocsin/core';
import { connect, type NatsConnection, type ReconnectToServerHandler, type Status } from '@nats-io/transport-node';
import { inboxPrefix, type MessagingOptions } from '../contract.ts';
import { Liveness } from './liveness.ts';
import { QuorumProbe } from './quorum-probe.ts';
import { coalesceWrites } from './write-coalescing.ts';

const FIRST_CONNECT_MS = 30_000;
const API_TIMEOUT_MS = 5_000;
const DIAL_MS = 1_500;
const LEAVE_GAP_MS = 5_000;
const FLUSH_MS = 200;
/** After this many stays, the process leaves a server that reaches most others and still does none of the work. */
const MAX_STAYS = 3;

/** The one connection of a process. It knows whether it is up, and tells its listeners when it is back. */
export class Connection {
  private up = true;
  private disconnects = 0;
  private leftAt = Number.NEGATIVE_INFINITY;
  private stays = 0;
  private readonly listeners = new Set<() => void>();
  private readonly missingListeners = new Set<(why: string) => void>();
  private readonly liveness: Liveness;
  private readonly quorum: QuorumProbe;
  private readonly logger = new Logger('Messaging');

  private constructor(
    readonly nats: NatsConnection,
    readonly jsm: JetStreamManager,
    readonly options: MessagingOptions,
  ) {
    coalesceWrites(nats);
    this.liveness = new Liveness(
      nats,
      () => this.connected,
      (why) => this.drop(why),
    );
    this.quorum = new QuorumProbe(nats, options);
    void this.watch();
  }

  /**
   * Connects, trying every server for up to `firstConnectMs`.
   * @throws TocsinError `unavailable` if none answers; the process should exit and be started again
   */
  static async open(options: MessagingOptions, firstConnectMs = FIRST_CONNECT_MS): Promise<Connection> {
    const until = systemClock.monotonic() + firstConnectMs;
    for (;;) {
      try {
        const nats = await connect(natsOptions(options));
        // While connecting for the first time the client forgets every server that does not answer.
        nats.setServers(options.servers);
        const jsm = await jetstreamManager(nats, { checkAPI: false, timeout: API_TIMEOUT_MS });
        return new Connection(nats, jsm, options);
      } catch (cause) {
        if (systemClock.monotonic() >= until) {
          const where = options.servers.map(withoutCredentials).join(', ');
          throw new TocsinError(
            'unavailable',
            `No NATS server answers at ${where}. Start one or correct TOCSIN_NATS_URLS.`,
            {
              cause,
            },
          );
        }
        await sleep(250);
      }
    }
  }

  /** Most bytes of a payload that the broker takes, with room for headers. */
  get largestPayload(): number {
    return (this.nats.info?.max_payload ?? 1_048_576) - 4_096;
  }

  get connected(): boolean {
    return this.up && !this.nats.isClosed();
  }

  status(): { connected: boolean; server?: string; rttMs?: number } {
    if (!this.connected) return { connected: false };
    const { rttMs } = this.liveness;
    return { connected: true, server: this.nats.getServer(), ...(rttMs === undefined ? {} : { rttMs }) };
  }

  /** Calls `listener` after every reconnect. Returns a function that stops this. */
  onReconnect(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Says that a stream, bucket or consumer of the contract seems to be missing. An election looks the same. */
  reportMissing(why: string): void {
    for (const listener of this.missingListeners) listener(why);
  }

  /** Calls `listener` when something seems to be missing. Returns a function that stops this. */
  onMissing(listener: (why: string) => void): () => void {
    this.missingListeners.add(listener);
    return () => this.missingListeners.delete(listener);
  }

  /**
   * Connects to another server when this one answers pings but does none of the work: it may be cut off from its peers. It
   * checks at most once in 5 s. It stays where most servers are reached, because a leader election looks the same there, and
   * the next server could be the one that is cut off. With a single server it changes nothing.
   */
  async leaveServer(why: string): Promise<void> {
    const now = systemClock.monotonic();
    if (!this.connected || now - this.leftAt < LEAVE_GAP_MS || this.nats.getServers().length < 2) return;
    this.stays = now - this.leftAt < 2 * LEAVE_GAP_MS ? this.stays : 0;
    this.leftAt = now;
    const before = this.disconnects;
    if (this.stays < MAX_STAYS && (await this.quorum.reachesMajority())) {
      this.stays++;
      return;
    }
    if (!this.connected || this.disconnects !== before) return;
    this.stays = 0;
    this.logger.warn(`reconnecting: ${why}`);
    await this.nats.reconnect().catch(() => undefined);
    // The client first flushes its send buffer, which a cut network keeps full for as long as it is cut.
    setTimeout(() => {
      if (this.up && this.disconnects === before) destroySocket(this.nats);
    }, FLUSH_MS).unref();
  }

  async close(): Promise<void> {
    this.liveness.stop();
    this.listeners.clear();
    this.missingListeners.clear();
    await this.nats.close();
  }

  private drop(why: string): void {
    this.logger.warn(`reconnecting: ${why}`);
    destroySocket(this.nats);
  }

  private async watch(): Promise<void> {
    for await (const status of this.nats.status()) this.onStatus(status);
    this.up = false;
  }

  private onStatus(status: Status): void {
    if (status.type === 'disconnect') {
      if (this.up) this.logger.warn(`disconnected from ${status.server}`);
      this.up = false;
      this.disconnects++;
    } else if (status.type === 'reconnect') {
      this.up = true;
      coalesceWrites(this.nats);
      this.logger.log(`connected again, to ${status.server}`);
      for (const listener of this.listeners) listener();
    } else if (status.type === 'error') {
      this.logger.error(`the NATS server refused: ${status.error.message}`);
    }
  }
}

function natsOptions(options: MessagingOptions): NonNullable<Parameters<typeof connect>[0]> {
  return {
    servers: options.servers,
    name: `${options.service}/${options.instance}`,
    timeout: DIAL_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 300,
    // The operator chose the way to the listed servers. The addresses that servers tell of each other may lead another way.
    ignoreClusterUpdates: true,
    reconnectToServer: lostServerLast(),
    noAsyncTraces: true,
    ...(options.user === undefined ? {} : { user: options.user, pass: options.password ?? '' }),
    ...(options.ca === undefined ? {} : { tls: { ca: options.ca } }),
    inboxPrefix: inboxPrefix(options),
  };
}

/** The client would first try the server that it just lost. If that one is frozen, it costs a whole dial. */
function lostServerLast(): ReconnectToServerHandler {
  let tried: string | undefined;
  return (pool) => {
    const next = pool[0];
    const other = pool.at(-1);
    const picked = next && other && next.listen === tried ? other : next;
    tried = picked?.listen;
    return picked ?? null;
  };
}

/** The client cannot drop a socket without flushing it. This uses its internals, and does nothing if it finds no socket. */
function destroySocket(nats: NatsConnection): void {
  const inner = nats as unknown as { protocol?: { transport?: { socket?: { destroy?: () => void } } } };
  inner.protocol?.transport?.socket?.destroy?.();
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
