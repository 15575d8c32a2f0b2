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
  /** Of a user `operator` who may do everything; without one, everybody on loopback may connect. */
  password?: string;
  /** More users, each with its rules (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl). */
  users?: readonly RedisUser[];
  /** More command line arguments, such as `--maxmemory 64mb`. */
  args?: string[];
}

/** A user who may do what its rules say. */
export interface RedisUser {
  name: string;
  password: string;
  rules: string;
}

/** A redis-server on 127.0.0.1. */
export type RunningRedis = RunningServer;

const OPERATOR = 'operator';

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
  writeFileSync(file, usersOf(o), { mode: 0o600 });
  const login = o.password ? `AUTH ${OPERATOR} ${o.password}\r\n` : '';
  const server = new RunningServer({
    name: 'redis-server',
    url: `redis://${o.password ? `${OPERATOR}:${encodeURIComponent(o.password)}@` : ''}127.0.0.1:${port}`,
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

/** Lines of the configuration: nobody comes in without a name. */
function usersOf({ password, users = [] }: RedisOptions): string {
  if (password === undefined) return '';
  const operator = { name: OPERATOR, password, rules: '~* &* +@all' };
  const lines = [operator, ...users].map((user) => `user ${user.name} on >${user.password} ${user.rules}`);
  return `user default off\n${lines.join('\n')}\n`;
}

/** The address of a server for one of its users. */
export function redisUrlOf({ url }: RunningRedis, { name, password }: Pick<RedisUser, 'name' | 'password'>): string {
  const own = new URL(url);
  own.username = name;
  own.password = password;
  return own.href;
}
