import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { DatabaseRole } from '@tocsin/contracts';
import {
  type NatsOptions,
  type RedisOptions,
  type RunningNats,
  type RunningRedis,
  type RunningServer,
  createTocsinDatabase,
  startNats,
  startRedis,
  temporaryDir,
} from './servers/index.ts';
import { inject } from 'vitest';
import { atTheEnd } from './cleanup.ts';

/** A nats-server with JetStream for this spec file, stopped (and its data deleted) after its last test. */
export async function natsServer(o: NatsOptions = {}): Promise<RunningNats> {
  const dataDir = o.dataDir ?? temporaryDir('nats');
  return stoppedAtTheEnd(await startNats({ ...o, dataDir }), dataDir);
}

/** A redis-server for this spec file, stopped after its last test. */
export async function redisServer(o: RedisOptions = {}): Promise<RunningRedis> {
  const dataDir = o.dataDir ?? temporaryDir('redis');
  return stoppedAtTheEnd(await startRedis({ ...o, dataDir }), dataDir);
}

/** A fresh database with Tocsin's roles and schemas. */
export interface TestDatabase {
  name: string;
  urlFor(role: DatabaseRole): string;
  /** The superuser, in this database. */
  superuserUrl: string;
}

/** A fresh database on the one PostgreSQL server that the whole test run shares. */
export async function postgres(): Promise<TestDatabase> {
  const response = await fetch(inject('tocsinPostgresDesk'));
  const body = await response.text();
  if (!response.ok) throw new Error(`No PostgreSQL for this test run: ${body}`);
  const { superuserUrl } = JSON.parse(body) as { superuserUrl: string };
  const name = `test_${randomBytes(6).toString('hex')}`;
  const database = await createTocsinDatabase(superuserUrl, name);
  const own = new URL(superuserUrl);
  own.pathname = `/${name}`;
  return { name, urlFor: (role) => database.urlFor(role), superuserUrl: own.href };
}

function stoppedAtTheEnd<T extends RunningServer>(server: T, dataDir: string): T {
  atTheEnd(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return server;
}
