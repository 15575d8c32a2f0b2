import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheUsers, type DatabaseRole, databaseRoles, type ServiceName, serviceNames } from '@tocsin/contracts';
import { type CommandKeyPair, newCommandKeys, newSecretKeys, passwordsFor, type SecretKeySet } from '@tocsin/local';

/** What nobody but the hosts may know; made once and kept with the inventory. */
export interface Secrets {
  /**
   * What the credentials in monitors and channels are sealed with. Lost with them: every one of them. Absent in a deployment
   * that an earlier version began, until its operator writes "new" here: the upgrade says when.
   */
  secretKeys?: SecretKeySet | undefined;
  /** TOCSIN_SECRET, where an earlier version made one: it opens what that one sealed. */
  secret?: string | undefined;
  /** By which owners know that a gateway sent a command. */
  commandKeys: CommandKeyPair;
  /** The first admin's API token. */
  adminToken: string;
  nats: Record<ServiceName | 'operator' | 'system', string>;
  /** `service` is of versions whose sub-services shared one user: delete it when all run a later one. */
  redis: Record<'replication' | 'sentinel' | (typeof cacheUsers)[number], string> & { service?: string };
  /** The superuser and the role for backups have none: they come by the socket alone. */
  postgres: Record<DatabaseRole | 'repmgr', string>;
}

type Known = Partial<Omit<Secrets, 'secretKeys'>> & { secretKeys?: SecretKeySet | 'new' };

const FILE = 'secrets.json';

/**
 * Reads the secrets of a deployment from a folder, and makes those that are missing: all at the first time, and after an
 * upgrade that needs a new one.
 */
export function loadSecrets(folder: string): Secrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, FILE);
  const known: Known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Known) : {};
  const fresh = generate();
  const { secretKeys } = known;
  const wanted = !existsSync(file) || secretKeys === 'new';
  const secrets: Secrets = {
    ...fresh,
    ...known,
    secretKeys: wanted ? newSecretKeys(known.secret) : (secretKeys as SecretKeySet | undefined),
    nats: { ...fresh.nats, ...known.nats },
    redis: { ...fresh.redis, ...known.redis },
    postgres: { ...fresh.postgres, ...known.postgres },
  };
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}

function generate(): Secrets {
  return {
    commandKeys: newCommandKeys(),
    adminToken: `tsn_${randomBytes(32).toString('base64url')}`,
    nats: passwordsFor([...serviceNames, 'operator', 'system']),
    redis: passwordsFor(['replication', 'sentinel', ...cacheUsers]),
    postgres: passwordsFor([...databaseRoles, 'repmgr']),
  };
}
