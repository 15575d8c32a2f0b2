import { type DatabaseRole, databaseRoles } from '@tocsin/contracts';
import { ports } from '../ports.ts';
import type { Secrets } from '../secrets.ts';

/** libpq's password file: what repmgr and replication use between the hosts. */
export function pgpass({ repmgr }: Pick<Secrets['postgres'], 'repmgr'>): string {
  return `*:${ports.postgres}:*:repmgr:${repmgr.replaceAll(/[\\:]/g, String.raw`\$&`)}\n`;
}

/** Variables for the SQL that makes the roles. psql reads them from a file, so that no command line shows them. */
export function passwordVariables(secrets: Secrets['postgres']): string {
  const set = (role: 'repmgr' | DatabaseRole): string =>
    `\\set ${role}_password '${secrets[role].replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n`;
  return [...databaseRoles, 'repmgr' as const].map(set).join('');
}
