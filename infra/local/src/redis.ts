import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { talk } from './line-client.ts';
import { temporaryDir } from './nats.ts';
import { freePort } from './ports.ts';
import { RunningServer } from './running.ts';
import { findOrFetchServers, serverEnv } from './servers.ts';

export interface RedisOptions {
  port?: number;
  dataDir?: string;
  logFile?: string;
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
  const server = new RunningServer({
    name: 'redis-server',
    url: `redis://127.0.0.1:${port}`,
    port,
    command: redis,
    args: [
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', dataDir, '--daemonize', 'no'],
      ['--save', '', '--appendonly', 'no', '--maxmemory', '128mb', '--maxmemory-policy', 'allkeys-lru'],
      o.args ?? [],
    ].flat(),
    env: serverEnv(redis),
    stopSignal: 'SIGTERM',
    logFile: o.logFile ?? join(dataDir, 'redis.log'),
    ready: async () => {
      const answer = await talk(port, 'SET tocsin:readiness 1 PX 1000\r\n', /\r\n/);
      if (!answer.startsWith('+OK')) throw new Error(`redis-server takes no write yet: ${answer}`);
    },
  });
  await server.start();
  return server;
}
