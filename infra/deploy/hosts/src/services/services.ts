import { type DatabaseRole, isDatabaseRole, type Service, services } from '@tocsin/contracts';
import { commandKeysOf, secretKeysOf } from '@tocsin/local';
import type { Deployment } from '../deployment.ts';
import type { Host } from '../inventory.ts';
import { ports } from '../ports.ts';
import { PRIMARY } from '../redis/redis.ts';
import { ETC, type RenderedFile } from '../rendered.ts';

/** Longer than a balancer takes to notice that an instance is not ready. */
const DRAIN_GRACE_MS = 2_000;
const SHUTDOWN_MS = 15_000;

/**
 * The settings of every sub-service on a host: an environment file that anybody may read, and a folder of credentials,
 * each in a file, that root alone can read and systemd hands to the unit (`LoadCredential=`).
 */
export function serviceFiles(deployment: Deployment, host: Host): RenderedFile[] {
  return Object.values(services).flatMap((entry) => {
    const service = entry.name;
    const credentials = credentialsOf(deployment, entry);
    const handed = `/run/credentials/tocsin@${service}.service`;
    const environment: Record<string, string> = {
      ...plain(deployment, host, entry),
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

function plain({ hosts, location, traces }: Deployment, host: Host, entry: Service): Record<string, string> {
  const { name: service, environment } = entry;
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
    ...environment,
    ...(entry.targets ? { TOCSIN_TARGETS_OWN: ownServers(hosts) } : {}),
    ...(traces === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: traces }),
    ...(service === 'prober' ? { TOCSIN_LOCATION: location } : {}),
    // The balancer of any host says who asks.
    ...(service === 'gateway' ? { TOCSIN_TRUSTED_PROXIES: hosts.map(({ address }) => address).join(',') } : {}),
  };
}

/** The servers on all hosts, to which no monitor and no channel leads. */
function ownServers(hosts: readonly Host[]): string {
  const { nats, redis, sentinel, postgres } = ports;
  return hosts
    .flatMap(({ address }) =>
      [...Object.values(nats), redis, sentinel, postgres].map((port) => endpoint(address, port)),
    )
    .join(',');
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function credentialsOf({ hosts, secrets }: Deployment, entry: Service): Record<string, string> {
  const { name: service, database, cache, bootstrapToken } = entry;
  const all = (port: number): string => hosts.map(({ address }) => `${address}:${port}`).join(',');
  const databaseUrl = (role: DatabaseRole): string =>
    `postgres://${role}:${secrets.postgres[role]}@${all(ports.postgres)}/tocsin?sslmode=verify-full`;
  return {
    TOCSIN_NATS_PASSWORD: secrets.nats[service],
    ...(isDatabaseRole(service) ? { TOCSIN_DATABASE_URL: databaseUrl(service) } : {}),
    ...(isDatabaseRole(service) && database?.replica ? { TOCSIN_DATABASE_REPLICA_URL: databaseUrl(service) } : {}),
    ...(cache
      ? { TOCSIN_REDIS_URL: `rediss+sentinel://${service}:${secrets.redis[service]}@${all(ports.sentinel)}/${PRIMARY}` }
      : {}),
    ...secretKeysOf(service, secrets),
    ...commandKeysOf(service, secrets.commandKeys),
    ...(bootstrapToken ? { TOCSIN_BOOTSTRAP_TOKEN: secrets.adminToken } : {}),
  };
}

function lines(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
