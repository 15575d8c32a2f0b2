import type { DatabaseRole } from '../secrets.ts';
import type { Deployment } from '../deployment.ts';
import type { Host } from '../inventory.ts';
import { ports, type ServiceName, serviceNames } from '../ports.ts';
import { PRIMARY } from '../redis/redis.ts';
import { ETC, type RenderedFile } from '../rendered.ts';

/** Longer than a balancer takes to notice that an instance is not ready. */
const DRAIN_GRACE_MS = 2_000;
const SHUTDOWN_MS = 15_000;

/** What a sub-service needs of the servers, and which secrets it may know. */
interface Needs {
  database?: DatabaseRole;
  cache?: boolean;
  secret?: boolean;
  bootstrapToken?: boolean;
}

const needs: Record<ServiceName, Needs> = {
  gateway: { cache: true, secret: true },
  monitors: { database: 'monitors', cache: true, secret: true, bootstrapToken: true },
  scheduler: {},
  prober: { secret: true },
  incidents: { database: 'incidents' },
  notifier: { database: 'notifier', secret: true },
  status: { database: 'status', cache: true },
};

/**
 * The settings of every sub-service on a host: an environment file that anybody may read, and a folder of credentials,
 * each in a file, that root alone can read and systemd hands to the unit (`LoadCredential=`).
 */
export function serviceFiles(deployment: Deployment, host: Host): RenderedFile[] {
  return serviceNames.flatMap((service) => {
    const credentials = credentialsOf(deployment, service);
    const handed = `/run/credentials/tocsin@${service}.service`;
    const environment: Record<string, string> = {
      ...plain(deployment, host, service),
      ...Object.fromEntries(Object.keys(credentials).map((name) => [`${name}_FILE`, `${handed}/tocsin_${name}`])),
      ...deployment.settings[service],
    };
    return [
      { path: `${ETC}/services/${service}.env`, content: lines(environment) },
      ...Object.entries(credentials).map(([name, value]): RenderedFile => {
        return { path: `${ETC}/credentials/${service}/${name}`, content: `${value}\n`, group: 'root' };
      }),
    ];
  });
}

function plain({ hosts, location }: Deployment, host: Host, service: ServiceName): Record<string, string> {
  // Its own host first: the way is the shortest, and each client follows the cluster from there.
  const near = [host, ...hosts.filter((other) => other.name !== host.name)];
  return {
    NODE_ENV: 'production',
    TOCSIN_INSTANCE: `${service}-${host.name}`,
    TOCSIN_HTTP_HOST: host.address,
    TOCSIN_HTTP_PORT: String(ports.services[service]),
    TOCSIN_NATS_URLS: near.map(({ address }) => `tls://${address}:${ports.nats.clients}`).join(','),
    TOCSIN_NATS_USER: service,
    TOCSIN_REPLICAS: '3',
    TOCSIN_CA_FILE: `${ETC}/ca.crt`,
    TOCSIN_DRAIN_GRACE_MS: String(DRAIN_GRACE_MS),
    TOCSIN_SHUTDOWN_MS: String(SHUTDOWN_MS),
    ...(service === 'prober' ? { TOCSIN_LOCATION: location, UV_THREADPOOL_SIZE: '32' } : {}),
  };
}

function credentialsOf({ hosts, secrets }: Deployment, service: ServiceName): Record<string, string> {
  const { database, cache, secret, bootstrapToken } = needs[service];
  const all = (port: number): string => hosts.map(({ address }) => `${address}:${port}`).join(',');
  const databaseUrl = (role: DatabaseRole): string =>
    `postgres://${role}:${secrets.postgres[role]}@${all(ports.postgres)}/tocsin?sslmode=verify-full`;
  return {
    TOCSIN_NATS_PASSWORD: secrets.nats[service],
    ...(database ? { TOCSIN_DATABASE_URL: databaseUrl(database) } : {}),
    ...(cache
      ? { TOCSIN_REDIS_URL: `rediss+sentinel://tocsin:${secrets.redis.service}@${all(ports.sentinel)}/${PRIMARY}` }
      : {}),
    ...(secret ? { TOCSIN_SECRET: secrets.secret } : {}),
    ...(bootstrapToken ? { TOCSIN_BOOTSTRAP_TOKEN: secrets.adminToken } : {}),
  };
}

function lines(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
