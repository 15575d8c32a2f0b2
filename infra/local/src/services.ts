import type { DatabaseRole } from './postgres-bootstrap.ts';

/** What one sub-service may know: nothing that it does not need. */
export interface ServiceNeeds {
  name: string;
  database?: DatabaseRole;
  cache?: boolean;
  /** Reads sealed credentials. */
  secret?: boolean;
  /** Creates the first admin token. */
  bootstrapToken?: boolean;
  /** What it needs beside TOCSIN_ variables. */
  environment?: Record<string, string>;
}

/** In the order of the table that `npm start` prints. */
export const services: readonly ServiceNeeds[] = [
  { name: 'gateway', cache: true, secret: true },
  { name: 'monitors', database: 'monitors', cache: true, secret: true, bootstrapToken: true },
  { name: 'scheduler' },
  // Looking up names takes a thread each: four silent name servers must not hold up every other name.
  { name: 'prober', secret: true, environment: { UV_THREADPOOL_SIZE: '32' } },
  { name: 'incidents', database: 'incidents' },
  { name: 'notifier', database: 'notifier', secret: true },
  { name: 'status', database: 'status', cache: true },
];

/** Where the servers are and how to log in. */
export interface Platform {
  natsUrl: string;
  natsUser: string;
  natsPassword: string;
  redisUrl: string;
  databaseUrlFor(role: DatabaseRole): string;
  secret: string;
  bootstrapToken: string;
}

/** The environment of a service (without its instance's name and port). */
export function environmentOf(service: ServiceNeeds, platform: Platform): Record<string, string> {
  return {
    ...service.environment,
    TOCSIN_HTTP_HOST: '127.0.0.1',
    TOCSIN_NATS_URLS: platform.natsUrl,
    TOCSIN_NATS_USER: platform.natsUser,
    TOCSIN_NATS_PASSWORD: platform.natsPassword,
    TOCSIN_REPLICAS: '1',
    ...(service.cache ? { TOCSIN_REDIS_URL: platform.redisUrl } : {}),
    ...(service.database ? { TOCSIN_DATABASE_URL: platform.databaseUrlFor(service.database) } : {}),
    ...(service.secret ? { TOCSIN_SECRET: platform.secret } : {}),
    ...(service.bootstrapToken ? { TOCSIN_BOOTSTRAP_TOKEN: platform.bootstrapToken } : {}),
  };
}

/** Our own environment as far as it concerns services: what npm adds to it does not. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$)/.test(name)),
  );
}
