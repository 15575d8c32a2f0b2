import { createHash, randomBytes } from 'node:crypto';
import { contract } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { type CommandSpec, Messaging } from '@tocsin/messaging';
import { atTheEnd, natsServer, postgres, redisServer, type ServiceProcess, startService } from '@tocsin/testing';

/** Two instances of `monitors` on real servers, and a client that stands for the gateway. */
export interface System {
  messaging: Messaging;
  env: Record<string, string>;
  instances: ServiceProcess[];
  nats: Awaited<ReturnType<typeof natsServer>>;
  redis: Awaited<ReturnType<typeof redisServer>>;
  database: Awaited<ReturnType<typeof postgres>>;
}

export const BOOTSTRAP = 'tsn_a-first-token-for-the-tests';

/** @param broker one with users, and who may do everything there; without it, one where everybody may */
export async function startSystem(
  extra: Record<string, string> = {},
  broker?: { nats: System['nats']; user: { name: string; password: string } },
): Promise<System> {
  const [nats, redis, database] = await Promise.all([broker?.nats ?? natsServer(), redisServer(), postgres()]);
  const env = {
    TOCSIN_NATS_URLS: nats.url,
    TOCSIN_REDIS_URL: redis.url,
    TOCSIN_DATABASE_URL: database.urlFor('monitors'),
    TOCSIN_SECRET: randomBytes(32).toString('base64'),
    TOCSIN_BOOTSTRAP_TOKEN: BOOTSTRAP,
    TOCSIN_RECONCILE_MS: '500',
    TOCSIN_LOG_LEVEL: 'warn',
    ...extra,
  };
  const instances = await Promise.all([startService('monitors', env), startService('monitors', env)]);
  const messaging = await Messaging.connect({
    service: 'test',
    instance: 'test',
    servers: [nats.url],
    replicas: 1,
    contract,
    ...(broker ? { user: broker.user.name, password: broker.user.password } : {}),
  });
  atTheEnd(() => messaging.close());
  return { messaging, env, instances, nats, redis, database };
}

/** Sends a command as the gateway does and returns its result; what the owner refused is thrown. */
export async function carryOut<I, O>(
  messaging: Messaging,
  command: CommandSpec<I, O>,
  input: I,
  o: { operationId?: string; requestHash?: string; tokenId?: string; actor?: string; route?: string } = {},
): Promise<O> {
  const requestHash = o.requestHash ?? createHash('sha256').update(JSON.stringify(input)).digest('hex');
  const operationId = o.operationId ?? newId();
  const end = await messaging.command(command, input, {
    ...o,
    operationId,
    requestHash,
    deadline: Date.now() + 10_000,
  });
  if (end.status !== 'done') throw new Error(`${command.name} was only accepted`);
  return end.result;
}
