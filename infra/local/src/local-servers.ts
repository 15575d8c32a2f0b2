import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from './back-off.ts';
import { startNats } from './nats.ts';
import { inTocsin } from './paths.ts';
import { startPostgres } from './postgres.ts';
import { say } from './progress.ts';
import { startRedis } from './redis.ts';
import type { RunningServer } from './running.ts';
import type { Secrets } from './secrets.ts';
import { findOrFetchServers } from './servers.ts';
import type { Platform } from './services.ts';

const NATS_USER = 'tocsin';

/** The three servers of a local Tocsin, with their data under `.tocsin/data`, and kept running. */
export class LocalServers {
  private readonly running = new Map<string, RunningServer>();
  private stopping = false;

  constructor(private readonly changed: () => void) {}

  /** Starts all three at once and prepares the database; resolves with what services need to reach them. */
  async start(secrets: Secrets): Promise<Platform> {
    await findOrFetchServers({ progress: say });
    const data = (name: string): { dataDir: string; logFile: string } => {
      mkdirSync(inTocsin('logs'), { recursive: true });
      return { dataDir: inTocsin('data', name), logFile: inTocsin('logs', `${name}.log`) };
    };
    const { postgresPassword: password, rolePasswords } = secrets;
    const user = { name: NATS_USER, password: secrets.natsPassword };
    const starting = [
      this.keep('nats', startNats({ ...data('nats'), user })),
      this.keep('redis', startRedis({ ...data('redis'), password: secrets.redisPassword })),
      this.keep('postgres', startPostgres({ ...data('postgres'), password, rolePasswords })).then((server) =>
        server.createDatabase('tocsin'),
      ),
    ] as const;
    // Even when one fails: none may still be starting when the others are stopped.
    await Promise.allSettled(starting);
    const [nats, redis, database] = await Promise.all(starting);
    return {
      natsUrl: nats.url,
      natsUser: NATS_USER,
      natsPassword: secrets.natsPassword,
      redisUrl: redis.url,
      databaseUrlFor: (role) => database.urlFor(role),
      secret: secrets.secret,
      bootstrapToken: secrets.adminToken,
    };
  }

  /** Addresses without credentials, and process ids. */
  describe(): Record<string, { url: string; pid: number }> {
    return Object.fromEntries(
      [...this.running].map(([name, server]) => [name, { url: withoutPassword(server.url), pid: server.pid }]),
    );
  }

  /** Stops all of them; those that services wrote to last, last. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.running.values()].map((server) => server.stop()));
  }

  private async keep<T extends RunningServer>(name: string, starting: Promise<T>): Promise<T> {
    const server = await starting;
    this.running.set(name, server);
    const backOff = new BackOff();
    let startedAt = performance.now();
    server.onCrash = async () => {
      while (!this.stopping && !server.alive) {
        const wait = backOff.next(performance.now() - startedAt);
        say(`${name} ended; starting it again in ${wait} ms`);
        await delay(wait);
        startedAt = performance.now();
        if (!this.stopping) await server.start().catch((error: unknown) => say(`${name}: ${String(error)}`));
      }
      this.changed();
    };
    return server;
  }
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  parsed.username = '';
  return parsed.href;
}
