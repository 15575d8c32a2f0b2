import { type DatabaseRole, isDatabaseRole, type Service, type ServiceName } from '@tocsin/contracts';
import { commandKeysOf, type CommandKeyPair } from './command-keys.ts';
import { type SecretKeySet, secretKeysOf } from './secret-keys.ts';

/** Where one host finds the servers; each asked for only when it is needed, since asking opens the links to it. */
export interface Addresses {
  natsUrls(): Promise<string[]>;
  /** Each sub-service that has a cache is a user of its own. */
  redisUrl(service: ServiceName): Promise<string>;
  databaseUrl(role: DatabaseRole): Promise<string>;
}

/** The servers, and how to log in. */
export interface Platform {
  /** For an instance, by way of its links where there are any; without a name, the servers' own. */
  addressesFor(instance?: string): Addresses;
  /** Each sub-service is a user of its own. */
  natsPasswords: Record<ServiceName, string>;
  /** Copies of each stream. */
  replicas: 1 | 3;
  secretKeys: SecretKeySet;
  secret?: string | undefined;
  commandKeys: CommandKeyPair;
  /** The file that holds the first admin's token. */
  bootstrapTokenFile: string;
  /** The addresses of all servers, none of which is a target. */
  ownServers: string[];
}

/** On a person's machine what is watched is on it too: a service denies loopback by default. */
export const TARGETS_ALLOWED = process.env.TOCSIN_TARGETS_ALLOW ?? '127.0.0.0/8,::1';

/** The environment of a service (without its instance's name and port), or of one instance of it. */
export async function environmentOf(
  service: Service,
  platform: Platform,
  instance?: string,
): Promise<Record<string, string>> {
  const addresses = platform.addressesFor(instance);
  return {
    ...service.environment,
    TOCSIN_HTTP_HOST: '127.0.0.1',
    TOCSIN_NATS_URLS: (await addresses.natsUrls()).join(','),
    TOCSIN_NATS_USER: service.name,
    TOCSIN_NATS_PASSWORD: platform.natsPasswords[service.name],
    TOCSIN_REPLICAS: String(platform.replicas),
    ...(service.cache ? { TOCSIN_REDIS_URL: await addresses.redisUrl(service.name) } : {}),
    ...(isDatabaseRole(service.name) ? { TOCSIN_DATABASE_URL: await addresses.databaseUrl(service.name) } : {}),
    ...secretKeysOf(service.name, platform),
    ...(service.targets
      ? { TOCSIN_TARGETS_ALLOW: TARGETS_ALLOWED, TOCSIN_TARGETS_OWN: platform.ownServers.join(',') }
      : {}),
    ...commandKeysOf(service.name, platform.commandKeys),
    // In a file: what stands in an environment stays there for as long as the process runs.
    ...(service.bootstrapToken ? { TOCSIN_BOOTSTRAP_TOKEN_FILE: platform.bootstrapTokenFile } : {}),
  };
}

/** Our own environment as far as it concerns services: what npm adds to it does not. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$)/.test(name)),
  );
}
