import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cacheUsers, type DatabaseRole, databaseRoles, serviceNames, type ServiceName } from '@tocsin/contracts';
import { inTocsin } from '@tocsin/testing/servers';
import { type CommandKeyPair, newCommandKeys } from './command-keys.ts';
import { password, passwordsFor } from './passwords.ts';
import { newSecretKeys, type SecretKeySet } from './secret-keys.ts';

/** Generated once per clone, in `.tocsin/secrets.json`, readable by its owner alone. */
export interface Secrets {
  /** What stored credentials are sealed with. Lost with them: every one. */
  secretKeys: SecretKeySet;
  /** TOCSIN_SECRET, where an earlier version made one: it opens what that one sealed. */
  secret?: string;
  postgresPassword: string;
  rolePasswords: Record<DatabaseRole, string>;
  /** Of the user who may do everything at the broker. */
  natsPassword: string;
  natsPasswords: Record<ServiceName, string>;
  /** Of the user who may do everything at the cache. */
  redisPassword: string;
  redisPasswords: Record<string, string>;
  commandKeys: CommandKeyPair;
  /** The first admin's API token. */
  adminToken: string;
}

/** Reads the secrets; generates what is missing, at the first start all. Writes the admin's token to `.tocsin/admin-token` as well. */
export function loadSecrets(): Secrets {
  const file = inTocsin('secrets.json');
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets = { ...generate(known.secret), ...known };
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  writeFileSync(tokenFile(), `${secrets.adminToken}\n`, { mode: 0o600 });
  return secrets;
}

/** Where a person and scripts find the admin's token. */
export function tokenFile(): string {
  return inTocsin('admin-token');
}

function generate(secret: string | undefined): Secrets {
  return {
    secretKeys: newSecretKeys(secret),
    postgresPassword: password(),
    rolePasswords: passwordsFor(databaseRoles),
    natsPassword: password(),
    natsPasswords: passwordsFor(serviceNames),
    redisPassword: password(),
    redisPasswords: passwordsFor(cacheUsers),
    commandKeys: newCommandKeys(),
    adminToken: `tsn_${randomBytes(32).toString('base64url')}`,
  };
}
