import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseRole, databaseRoles } from '@tocsin/contracts';
import { projectRoot } from './paths.ts';
import { withClient } from './pg-client.ts';

/** What tests use; `npm start` generates its own. */
const testPasswords = Object.fromEntries(databaseRoles.map((role) => [role, role])) as Record<DatabaseRole, string>;

/**
 * Creates the database when it is missing and runs infra/deploy/postgres/bootstrap.sql in it. Safe to repeat.
 * @throws what PostgreSQL answered.
 */
export async function createTocsinDatabase(
  superuserUrl: string,
  name: string,
  passwords: Record<DatabaseRole, string> = testPasswords,
): Promise<{ urlFor(role: DatabaseRole): string }> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new Error(`"${name}" is no name for a database: use a-z, 0-9 and _.`);
  const url = new URL(superuserUrl);
  url.pathname = `/${name}`;
  const sql = substitute(readFileSync(join(projectRoot, 'infra/deploy/postgres/bootstrap.sql'), 'utf8'), {
    database: name,
    ...Object.fromEntries(databaseRoles.map((role) => [`${role}_password`, passwords[role]])),
  });
  await withClient(superuserUrl, async (client) => {
    // Roles belong to the whole server, so bootstraps of two databases must take turns. The lock counts within one
    // database only, hence here; the end of the connection gives it back.
    await client.query('SELECT pg_advisory_lock(7410981)');
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rows.length === 0) await client.query(`CREATE DATABASE ${name}`);
    await withClient(url.href, (inside) => inside.query(sql));
  });
  return {
    urlFor: (role) => `postgres://${role}:${encodeURIComponent(passwords[role])}@${url.host}/${name}`,
  };
}

/** Puts values in place of psql's `:'name'` (a literal) and `:"name"` (an identifier). */
export function substitute(sql: string, values: Record<string, string>): string {
  return sql.replaceAll(/:(['"])(\w+)\1/g, (whole, quote: string, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The variable ${whole} in the SQL has no value.`);
    return quote + value.replaceAll(quote, quote + quote) + quote;
  });
}
