import { mkdirSync } from 'node:fs';
import { cacheRulesOf, cacheUsers, type DatabaseRole, permissionsOf, type ServiceName } from '@tocsin/contracts';
import {
  type RunningServer,
  findOrFetchServers,
  inTocsin,
  redisUrlOf,
  startNats,
  startPostgres,
  startRedis,
} from '@tocsin/testing/servers';
import type { Road } from './links.ts';
import { startNatsCluster } from './nats-cluster.ts';
import { NatsGuard } from './nats-guard.ts';
import { say } from './progress.ts';
import { type Secrets, tokenFile } from './secrets.ts';
import { Supervisor } from './supervisor.ts';
import type { Addresses, Platform } from './service-environment.ts';

/** Sees and may do everything: for oracles and a person's own questions, not for a service. */
const NATS_USER = 'tocsin';

export interface LocalServersOptions {
  /** Three NATS nodes instead of one. */
  cluster: boolean;
  road: Road;
  /** Told when a process ended or another one runs in its place. */
  changed(): void;
}

type DatabaseUrl = (role: DatabaseRole, host?: string) => Promise<string>;

/** The servers of a local Tocsin, with their data under `.tocsin/data`, and kept running. */
export class LocalServers {
  /** By name. */
  readonly supervisors = new Map<string, Supervisor>();
  private readonly guards: NatsGuard[] = [];

  constructor(private readonly o: LocalServersOptions) {}

  /** Starts all at once and prepares the database; resolves with what services need to reach them. */
  async start(secrets: Secrets): Promise<Platform> {
    await findOrFetchServers({ progress: say });
    mkdirSync(inTocsin('logs'), { recursive: true });
    const starting = [this.startNats(secrets), this.startRedis(secrets), this.startDatabase(secrets)] as const;
    // Even when one fails: none may still be starting when the others are stopped.
    await Promise.allSettled(starting);
    const [natsUrls, redisUrlFor, databaseUrl] = await Promise.all(starting);
    return {
      addressesFor: (host): Addresses => ({
        natsUrls: () => Promise.all(Object.entries(natsUrls).map(([name, url]) => this.address(host, name, url))),
        redisUrl: (service) => this.address(host, 'redis', redisUrlFor(service)),
        databaseUrl: (role) => databaseUrl(role, host),
      }),
      natsPasswords: secrets.natsPasswords,
      replicas: this.o.cluster ? 3 : 1,
      secretKeys: secrets.secretKeys,
      secret: secrets.secret,
      commandKeys: secrets.commandKeys,
      bootstrapTokenFile: tokenFile(),
      ownServers: Object.values(this.describe()).map(({ url }) => new URL(url).host),
    };
  }

  /** Addresses without credentials, and process ids. */
  describe(): Record<string, { url: string; pid: number }> {
    return Object.fromEntries(
      [...this.supervisors].map(([name, { server }]) => [name, { url: withoutPassword(server.url), pid: server.pid }]),
    );
  }

  /** Stops all of them. */
  async stop(): Promise<void> {
    await Promise.all(this.guards.map((guard) => guard.stop()));
    await Promise.all([...this.supervisors.values()].map((server) => server.stop()));
  }

  private async startNats(secrets: Secrets): Promise<Record<string, string>> {
    const user = { name: NATS_USER, password: secrets.natsPassword };
    const users = Object.entries(secrets.natsPasswords).map(([name, password]) => {
      return { name, password, permissions: permissionsOf(name as ServiceName) };
    });
    if (!this.o.cluster) return { nats: this.keep('nats', await startNats({ ...places('nats'), user, users })).url };
    const nodes = await startNatsCluster({ user, users, places, road: this.o.road });
    return Object.fromEntries(
      nodes.map((node) => {
        const guard = new NatsGuard(node);
        this.guards.push(guard);
        return [node.name, this.keep(node.name, node.server, () => guard.mayStart()).url];
      }),
    );
  }

  private async startRedis({ redisPassword, redisPasswords }: Secrets): Promise<(service: ServiceName) => string> {
    const users = cacheUsers.map((name) => ({ name, password: redisPasswords[name]!, rules: cacheRulesOf(name) }));
    const server = this.keep('redis', await startRedis({ ...places('redis'), password: redisPassword, users }));
    return (name) => redisUrlOf(server, { name, password: redisPasswords[name]! });
  }

  private async startDatabase(secrets: Secrets): Promise<DatabaseUrl> {
    const { postgresPassword: password, rolePasswords } = secrets;
    // A cluster's record lies apart, as its streams do: the two belong together.
    const dataDir = inTocsin('data', this.o.cluster ? 'postgres-cluster' : 'postgres');
    const server = await startPostgres({ ...places('postgres'), dataDir, password, rolePasswords });
    this.keep('postgres', server);
    const database = await server.createDatabase('tocsin');
    return (role, host) => this.address(host, 'postgres', database.urlFor(role));
  }

  /** A server's address for a host that may have a link to it. */
  private async address(host: string | undefined, name: string, url: string): Promise<string> {
    if (host === undefined) return url;
    const parsed = new URL(url);
    parsed.port = String(await this.o.road(host, name, Number(parsed.port)));
    return parsed.href;
  }

  private keep<T extends RunningServer>(name: string, server: T, mayStart?: () => Promise<boolean>): T {
    const changed = (): void => this.o.changed();
    this.supervisors.set(name, new Supervisor(name, server, { changed, ...(mayStart ? { mayStart } : {}) }));
    return server;
  }
}

function places(name: string): { dataDir: string; logFile: string } {
  return { dataDir: inTocsin('data', name), logFile: inTocsin('logs', `${name}.log`) };
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  parsed.username = '';
  return parsed.href;
}
