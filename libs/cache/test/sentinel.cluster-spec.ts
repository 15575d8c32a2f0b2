import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { atTheEnd, redisServer, until } from '@tocsin/testing';
import { findOrFetchServers, freePort, temporaryDir } from '@tocsin/testing/servers';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { aCache, isUp, linkOf, Source } from './harness.ts';

/** A fetched redis-server needs the libraries that were unpacked beside it. */
function environmentOf(redis: string): NodeJS.ProcessEnv {
  const beside = join(dirname(redis), '../lib');
  if (!beside.includes('.tocsin') || !existsSync(beside)) return process.env;
  const folders = readdirSync(beside).map((name) => join(beside, name));
  return { ...process.env, LD_LIBRARY_PATH: folders.join(delimiter) };
}

/** One sentinel that watches `main`, stopped after the spec file. */
async function sentinel(primaryPort: number): Promise<number> {
  const [{ redis }, port, dir] = [await findOrFetchServers(), await freePort(), temporaryDir('sentinel')];
  const file = join(dir, 'sentinel.conf');
  const watch = [
    `sentinel monitor main 127.0.0.1 ${primaryPort} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ];
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...watch, ''].join('\n'));
  const child = spawn(redis, [file, '--sentinel'], { stdio: 'ignore', env: environmentOf(redis) });
  atTheEnd(() => void child.kill('SIGKILL'));
  return port;
}

it('the primary that the sentinels name is used, and the next one after a failover', { timeout: 120_000 }, async () => {
  const primary = await redisServer();
  const replica = await redisServer();
  const redis = new Redis(replica.url);
  atTheEnd(() => redis.disconnect());
  await redis.replicaof('127.0.0.1', primary.port);
  await until(async () => (await redis.info('replication')).includes('master_link_status:up'));
  const port = await sentinel(primary.port);
  const cache = await aCache(`redis+sentinel://127.0.0.1:${port}/main`);
  expect(await cache.ping()).toMatchObject({ role: 'primary' });
  const promoted = async () => (await redis.info('replication')).includes('role:master');
  const watcher = new Redis({ port });
  atTheEnd(() => watcher.disconnect());
  // Without a replica that it knows of it has nobody to promote.
  await until(async () => ((await watcher.call('sentinel', 'replicas', 'main')) as unknown[]).length === 1, {
    what: 'the sentinel to know the replica',
    timeoutMs: 20_000,
  });
  await primary.kill('SIGKILL');
  const source = new Source('away');
  expect((await cache.get('k', source.load, { ttlMs: 60_000, staleMs: 0 })).value).toBe('away');
  // A sentinel that was itself held up for 2 s does nothing for half a minute.
  await until(promoted, { what: 'the failover', timeoutMs: 45_000 });
  const named = async () => (await watcher.call('sentinel', 'get-master-addr-by-name', 'main')) as [string, string];
  await until(async () => (await named())[1] === String(replica.port), {
    what: 'the sentinel to name the next one',
    timeoutMs: 45_000,
  });
  await isUp(cache);
  expect(await cache.ping()).toMatchObject({ role: 'primary' });
});

it('a connection that the driver gave up in the midst of a failover is opened again', { timeout: 60_000 }, async () => {
  const port = await sentinel((await redisServer()).port);
  const cache = await aCache(`redis+sentinel://127.0.0.1:${port}/main`);
  const { commands } = linkOf(cache);
  const ended = new Promise<void>((resolve) => commands.once('end', resolve));
  // What the driver does by itself when news of a failover comes while it asks the sentinel for the primary.
  commands.once('connecting', () => commands.connector.disconnect());
  commands.disconnect(true);
  await ended;
  await isUp(cache);
  expect(await cache.ping()).toMatchObject({ role: 'primary' });
});
