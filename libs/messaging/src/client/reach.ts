import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { newInbox } from '../wire/inbox.ts';

const SUBJECT = 'tocsin.reach';
const ANSWER_MS = 500;

/**
 * Tells whether the server of this process is in touch with most of its cluster, which no server says of itself: one that
 * is cut off from its peers goes on answering pings, and its consumers' heartbeats, for ten seconds and more. Every process
 * answers the question with the server that it is connected to, so what comes back are the servers that are reached.
 */
export class Reach {
  private readonly inbox: string;
  private readonly subscription: Subscription;
  private asking: Asking | undefined;

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
        if (!error) this.hear(msg);
      },
    });
  }

  /**
   * @returns whether processes on most of the listed servers, this one's among them, answered. `false` proves nothing: perhaps nobody is
   * connected to the others
   */
  async isMost(): Promise<boolean> {
    if (this.subscription.isClosed()) return false;
    const asking = (this.asking ??= this.ask());
    return asking.done;
  }

  private ask(): Asking {
    const servers = new Set<string>();
    let enough: () => void = () => undefined;
    const done = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_MS);
      enough = () => {
        clearTimeout(timer);
        resolve(true);
      };
    }).finally(() => (this.asking = undefined));
    this.nats.publish(SUBJECT, '', { reply: this.inbox });
    return { servers, enough, done };
  }

  private answer(msg: Msg): void {
    msg.respond(this.nats.info?.server_id ?? '');
  }

  private hear(msg: Msg): void {
    if (!this.asking || msg.data.length === 0) return;
    const { servers, enough } = this.asking;
    servers.add(msg.string());
    if (servers.size > this.nats.getServers().length / 2) enough();
  }
}

interface Asking {
  servers: Set<string>;
  /** Ends the waiting: most were heard. */
  enough: () => void;
  done: Promise<boolean>;
}
