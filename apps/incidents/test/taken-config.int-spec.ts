import { randomBytes } from 'node:crypto';
import { consumers, contract } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { type ConsumerSpec, Messaging } from '@tocsin/messaging';
import { aMonitor, atTheEnd, natsServer, postgres, startService, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';

let messaging: Messaging;
let urlFor: Awaited<ReturnType<typeof postgres>>['urlFor'];
let common: Record<string, string>;

beforeAll(async () => {
  const [nats, server] = await Promise.all([natsServer(), postgres()]);
  urlFor = (role) => server.urlFor(role);
  common = { TOCSIN_NATS_URLS: nats.url, TOCSIN_LOG_LEVEL: 'warn', TOCSIN_SECRET: randomBytes(32).toString('base64') };
  messaging = await Messaging.connect({ service: 'test', instance: 't', servers: [nats.url], replicas: 1, contract });
  atTheEnd(() => messaging.close());
});

const channel = (id: string) => ({
  id,
  revision: 3,
  createdAt: 0,
  updatedAt: 0,
  spec: { kind: 'webhook', name: 'hook', settings: { url: 'http://127.0.0.1:1/' } },
});

const of = {
  incidents: {
    consumer: consumers.incidentsConfig,
    table: 'monitors',
    column: 'monitor_id',
    configOf: (id: string) => aMonitor({ id, revision: 3 }),
  },
  notifier: { consumer: consumers.notifierConfig, table: 'channels', column: 'id', configOf: channel },
} as const;

it.each(['incidents', 'notifier'] as const)(
  'a configuration that an instance of an earlier version took and could not read is known to %s once it starts again',
  async (service) => {
    const { consumer, table, column, configOf } = of[service];
    const id = newId();
    const gone = newId();
    // Read first, as it came first.
    await takeAll(consumer, `config.${table}.${gone}`, { id: gone, revision: 2, deleted: true, at: 1 });
    await takeAll(consumer, `config.${table}.${id}`, configOf(id));
    const database = new Database({ url: urlFor(service), schema: service, applicationName: 'test' });
    atTheEnd(() => database.close());
    await startService(service, { ...common, TOCSIN_DATABASE_URL: urlFor(service) });
    const revision = async (): Promise<number | undefined> => {
      const rows = await database.query<{ revision: number }>(`SELECT revision FROM ${table} WHERE ${column} = $1`, [
        id,
      ]);
      return rows[0]?.revision;
    };
    await until(async () => (await revision()) === 3, { what: 'what was taken to be known' });
    // A monitor that is gone and was never known is none; a channel that is gone is told apart from one that is to come.
    const rows = await database.query(`SELECT FROM ${table} WHERE ${column} = $1`, [gone]);
    expect(rows).toHaveLength(service === 'incidents' ? 0 : 1);
  },
);

/** Publishes a configuration and takes it from the service's queue for good, as the instance that makes a dead letter of it does. */
async function takeAll(consumer: Omit<ConsumerSpec, 'schema'>, subject: string, config: unknown): Promise<void> {
  const { jsm } = messaging.connection;
  await messaging.topology.keep(consumer as ConsumerSpec);
  await messaging.publish(subject, config, { id: newId() });
  const durable = await jsm.jetstream().consumers.get(consumer.stream, consumer.durable);
  const taken = await durable.next({ expires: 5_000 });
  expect(taken?.subject).toBe(subject);
  taken?.term('not readable');
}
