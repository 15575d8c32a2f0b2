import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { talk } from './line-client.ts';
import { temporaryDir } from './temporary.ts';
import { freePort } from './ports.ts';
import { RunningServer } from './running.ts';
import { findOrFetchServers, serverEnv } from './servers.ts';

export interface RedisOptions {
  port?: number;
  dataDir?: string;
  logFile?: string;
  /** Without one, everybody on loopback may connect. */
  password?: string;
  /** More command line arguments, such as `--maxmemory 64mb`. */
  args?: string[];
}

/** A redis-server on 127.0.0.1. */
export type RunningRedis = RunningServer;

/**
 * Starts redis-server as the cache that it is here: bounded memory, nothing on disk. Waits until a key can be set.
 * @throws when it can't be found, fetched or started.
 */
export async function startRedis(o: RedisOptions = {}): Promise<RunningRedis> {
  const { redis } = await findOrFetchServers();
  const port = o.port ?? (await freePort());
  const dataDir = o.dataDir ?? temporaryDir('redis');
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'redis.conf');
  writeFileSync(file, o.password ? `requirepass ${o.password}\n` : '', { mode: 0o600 });
  const login = o.password ? `AUTH ${o.password}\r\n` : '';
  const server = new RunningServer({
    name: 'redis-server',
    url: `redis://${o.password ? `:${encodeURIComponent(o.password)}@` : ''}127.0.0.1:${port}`,
    port,
    command: redis,
    args: [
      [file, '--port', String(port), '--bind', '127.0.0.1', '--dir', dataDir, '--daemonize', 'no'],
      ['--save', '', '--appendonly', 'no', '--maxmemory', '128mb', '--maxmemory-policy', 'allkeys-lru'],
      o.args ?? [],
    ].flat(),
    env: serverEnv(redis),
    stopSignal: 'SIGTERM',
    logFile: o.logFile ?? join(dataDir, 'redis.log'),
    ready: async () => {
      const answer = await talk(port, `${login}SET tocsin:readiness 1 PX 1000\r\n`, login ? /\r\n.*\r\n|-/ : /\r\n/);
      if (!answer.endsWith('+OK\r\n')) throw new Error(`redis-server takes no write yet: ${answer}`);
    },
  });
  await server.start();
  return server;
}
