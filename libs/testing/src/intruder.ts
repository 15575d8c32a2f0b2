import { jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { headers, type NatsConnection, connect } from '@nats-io/transport-node';
import { permissionsOf, type ServiceName, serviceNames } from '@tocsin/contracts';
import type { NatsUser } from './servers/index.ts';
import { atTheEnd } from './cleanup.ts';

/** Every sub-service as a user of the broker, as each deployment has them; the password is the name. */
export function brokerUsers(): NatsUser[] {
  return serviceNames.map((name) => {
    return { name, password: name, permissions: permissionsOf(name) };
  });
}

/** Somebody who knows what one sub-service is told, and uses it against the others. */
export class Intruder {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly streams: JetStreamManager,
    private readonly service: ServiceName,
  ) {}

  /** @param url of a broker with `brokerUsers` */
  static async as(service: ServiceName, url: string): Promise<Intruder> {
    const inboxPrefix = `_INBOX.${service}`;
    const connection = await connect({ servers: [url], user: service, pass: service, inboxPrefix });
    atTheEnd(() => connection.close());
    return new Intruder(connection, await jetstreamManager(connection, { checkAPI: false, timeout: 1_000 }), service);
  }

  /** What arrives at an address of its own. */
  listen(address: string): unknown[] {
    const heard: unknown[] = [];
    this.connection.subscribe(address, { callback: (error, msg) => void (error ?? heard.push(msg.json())) });
    return heard;
  }

  /** Changes a stream. @throws when the broker does not let it, or nothing answers */
  async change(stream: string, config: Partial<StreamConfig>): Promise<void> {
    await this.streams.streams.update(stream, config);
  }

  /** Publishes as the rights of the service say; what they do not allow disappears. */
  async publish(subject: string, data: unknown, named: Record<string, string> = {}): Promise<void> {
    const own = headers();
    for (const [name, value] of Object.entries(named)) own.set(name, value);
    this.connection.publish(subject, JSON.stringify(data), { headers: own });
    await this.connection.flush();
  }

  /**
   * Has the broker say something elsewhere: stores it where the service may, then reads it with `subject` as the address
   * of the answer. The broker does not ask whether the service may publish there.
   */
  async haveItRead(
    bucket: string,
    data: unknown,
    { subject, named }: { subject: string; named?: Record<string, string> },
  ): Promise<void> {
    const key = `$KV.${bucket}.${this.service}-default.forged`;
    await this.publish(key, data, named);
    this.connection.publish(`$JS.API.DIRECT.GET.KV_${bucket}.${key}`, '', { reply: subject });
    await this.connection.flush();
  }
}
