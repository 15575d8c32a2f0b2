import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { newInbox } from '../wire/inbox.ts';

const SUBJECT = 'tocsin.reach';
const ANSWER_MS = 500;

/**
 * Finds out whether the server of this process reaches most of its cluster, which no server says of itself: a server that is
 * cut off from its peers answers pings, and sends its consumers' heartbeats, for ten seconds and more. Every process answers
 * the probe with the server that it is connected to, so the answers name the servers that are reached.
 */
export class QuorumProbe {
  private readonly inbox: string;
  private readonly subscription: Subscription;
  private probe: Probe | undefined;

  constructor(
    private readonly nats: NatsConnection,
    of: { service: string },
  ) {
    this.inbox = newInbox(of);
    this.subscription = nats.subscribe(SUBJECT, {
      callback: (error, msg) => {
        if (!error) this.answer(msg);
      },
    });
    nats.subscribe(this.inbox, {
      callback: (error, msg) => {
        if (!error) this.collect(msg);
      },
    });
  }

  /**
   * @returns whether processes on most of the listed servers answered, this process included. `false` proves nothing: perhaps
   * no process is connected to the other servers
   */
  async reachesMajority(): Promise<boolean> {
    if (this.subscription.isClosed()) return false;
    const probe = (this.probe ??= this.start());
    return probe.done;
  }

  private start(): Probe {
    const servers = new Set<string>();
    let succeed: () => void = () => undefined;
    const done = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_MS);
      succeed = () => {
        clearTimeout(timer);
        resolve(true);
      };
    }).finally(() => (this.probe = undefined));
    this.nats.publish(SUBJECT, '', { reply: this.inbox });
    return { servers, succeed, done };
  }

  private answer(msg: Msg): void {
    msg.respond(this.nats.info?.server_id ?? '');
  }

  private collect(msg: Msg): void {
    if (!this.probe || msg.data.length === 0) return;
    const { servers, succeed } = this.probe;
    servers.add(msg.string());
    if (servers.size > this.nats.getServers().length / 2) succeed();
  }
}

interface Probe {
  servers: Set<string>;
  /** Ends the wait: most servers answered. */
  succeed: () => void;
  done: Promise<boolean>;
}
