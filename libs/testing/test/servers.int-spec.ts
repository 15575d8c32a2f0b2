import { createConnection } from 'node:net';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunningNats, RunningRedis } from '../src/servers/index.ts';
import { natsServer, postgres, redisServer, until, type TestDatabase } from '@tocsin/testing';

interface Client {
  connect(): Promise<void>;
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
}
const { Client } = createRequire(import.meta.url)('pg') as { Client: new (url: string) => Client };

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function firstBytes(port: number, send = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => send && socket.write(send));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once('error', reject);
  });
}

describe('servers of a test file', () => {
  let nats: RunningNats;
  let redis: RunningRedis;
  let database: TestDatabase;

  beforeAll(async () => {
    [nats, redis, database] = await Promise.all([natsServer(), redisServer(), postgres()]);
  });

  it('gives a NATS server with JetStream that can be killed and started again on its port', async () => {
    const first = nats.pid;
    await nats.kill('SIGKILL');
    await expect(firstBytes(nats.port)).rejects.toThrow('ECONNREFUSED');
    await nats.restart();
    expect(nats.pid).not.toBe(first);
    expect(await firstBytes(nats.port)).toMatch(/^INFO .*"jetstream":true/);
  });

  it('gives a Redis server that answers', async () => {
    expect(await firstBytes(redis.port, 'PING\r\n')).toBe('+PONG\r\n');
  });

  it('lets each role write in its own schema only, and status only read', async () => {
    await query(database.urlFor('monitors'), 'CREATE TABLE mine (id int)');
    await expect(query(database.urlFor('monitors'), 'CREATE TABLE incidents.other (id int)')).rejects.toThrow(
      'permission',
    );
    await expect(query(database.urlFor('incidents'), 'SELECT * FROM monitors.mine')).rejects.toThrow('permission');
    await expect(query(database.urlFor('status'), 'SELECT * FROM monitors.mine')).rejects.toThrow('permission');
    await query(database.urlFor('monitors'), 'CREATE VIEW seen AS SELECT * FROM mine; GRANT SELECT ON seen TO status');
    expect(await query(database.urlFor('status'), 'SELECT * FROM monitors.seen')).toEqual([]);
    await expect(query(database.urlFor('status'), 'CREATE TABLE monitors.t (id int)')).rejects.toThrow(
      /permission|read-only/,
    );
    await expect(query(database.urlFor('notifier'), 'CREATE TABLE public.t (id int)')).rejects.toThrow('permission');
  });

  it('gives each caller a database of its own', async () => {
    const other = await postgres();
    expect(other.name).not.toBe(database.name);
    expect(await query(other.urlFor('monitors'), "SELECT to_regclass('monitors.mine') AS found")).toEqual([
      { found: null },
    ]);
  });

  it('until fails with what it waited for and what it last saw', async () => {
    await expect(until(() => false, { timeoutMs: 30, what: 'the moon' })).rejects.toThrow(/the moon.*false/);
  });
});
