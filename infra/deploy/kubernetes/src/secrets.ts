import { randomBytes } from 'node:crypto';
import {
  cacheRulesOf,
  cacheUsers,
  type DatabaseRole,
  databaseRoles,
  isDatabaseRole,
  permissionsOf,
  sentinelRules,
  type Service,
  type ServiceName,
  serviceNames,
  services,
} from '@tocsin/contracts';
import { commandKeysOf, newCommandKeys, newSecretKeys, secretKeysOf, password, passwordsFor } from '@tocsin/local';

/** A Secret as Kubernetes takes it. */
export interface Secret {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: { name: string };
  stringData: Record<string, string>;
}

const SENTINELS = [0, 1, 2].map((n) => `redis-sentinel-${n}.redis-sentinel-headless:26379`).join(',');

/**
 * The Secrets of a new deployment, every value made anew: one for each sub-service with what that one may know and nothing
 * else, its keys named like the variables; and one for each server.
 */
export function newSecrets(): Secret[] {
  const secretKeys = newSecretKeys();
  const commandKeys = newCommandKeys();
  const operatorOfRedis = password();
  const cache = passwordsFor(cacheUsers);
  const broker = passwordsFor(serviceNames);
  const database = passwordsFor(databaseRoles);
  const known = (service: Service): Record<string, string> => ({
    TOCSIN_NATS_PASSWORD: broker[service.name],
    ...(isDatabaseRole(service.name)
      ? { TOCSIN_DATABASE_URL: databaseUrl(service.name, database, 'postgres-rw') }
      : {}),
    ...(isDatabaseRole(service.name) && service.database?.replica
      ? { TOCSIN_DATABASE_REPLICA_URL: databaseUrl(service.name, database, 'postgres-r') }
      : {}),
    ...(service.cache
      ? { TOCSIN_REDIS_URL: `redis+sentinel://${service.name}:${cache[service.name]}@${SENTINELS}/tocsin` }
      : {}),
    ...secretKeysOf(service.name, { secretKeys }),
    ...commandKeysOf(service.name, commandKeys),
    ...(service.bootstrapToken ? { TOCSIN_BOOTSTRAP_TOKEN: `tsn_${randomBytes(32).toString('base64url')}` } : {}),
  });
  return [
    ...Object.values(services).map((service) => secretOf(service.name, known(service))),
    secretOf('nats-auth', { 'auth.conf': authorization(broker) }),
    secretOf('redis', {
      password: operatorOfRedis,
      'user.acl': usersOf(operatorOfRedis, cache, cacheRulesOf),
      'sentinel.acl': usersOf(operatorOfRedis, cache, () => sentinelRules),
    }),
    secretOf('database-passwords', database),
  ];
}

function secretOf(name: string, stringData: Record<string, string>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

function databaseUrl(role: DatabaseRole, passwords: Record<DatabaseRole, string>, host: string): string {
  return `postgres://${role}:${passwords[role]}@${host}:5432/tocsin?sslmode=verify-full`;
}

/**
 * The users of Redis, or of its Sentinels, in the language of an ACL file. The default user must stand in it: Redis ignores
 * `requirepass` beside an ACL file, and would let anybody in.
 */
function usersOf(
  operator: string,
  passwords: Record<ServiceName, string>,
  rulesOf: (service: ServiceName) => string,
): string {
  const users = cacheUsers.map((name) => `user ${name} on >${passwords[name]} ${rulesOf(name)}`);
  return [`user default on >${operator} ~* &* +@all`, ...users, ''].join('\n');
}

/** A part of the broker's configuration, whose language takes JSON: its users, each with what it may do. */
function authorization(passwords: Record<ServiceName, string>): string {
  const users = serviceNames.map((name) => {
    return { user: name, password: passwords[name], permissions: permissionsOf(name) };
  });
  return `authorization ${JSON.stringify({ users }, null, 2)}\n`;
}
