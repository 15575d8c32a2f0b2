import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '@tocsin/core';
import type { Database } from '../database.ts';
import { type Migration, platformMigrations } from './platform-migrations.ts';
import type { Queryable } from '../types.ts';

/** A migration may rewrite a table; it is still bounded. */
const TIMEOUT_MS = 10 * 60_000;
/** Waiting for a table behind a long transaction blocks everybody else who waits behind us. */
const LOCK_TIMEOUT_MS = 10_000;

/**
 * Brings the schema of `db` up to date: the platform's tables first, then the files `NNN-name.sql` of `directory` in
 * order, each in a transaction of its own. Any number of instances may call it at once: they take turns under an
 * advisory lock. What a newer version has applied already is left alone, so that versions can run side by side.
 * @returns the names that this call applied
 * @throws TocsinError `invalid` if a file is named wrongly, was changed after it was applied, or comes before one that was
 */
export async function migrate(db: Database, directory: URL | string): Promise<string[]> {
  const own = await readMigrations(directory instanceof URL ? fileURLToPath(directory) : directory);
  const all = [...platformMigrations, ...own];
  const before = await appliedIn(db, db.schema);
  checkAgainst(before, all);
  const applied: string[] = [];
  for (const migration of all) {
    if (before.has(migration.name)) continue;
    if (await apply(db, migration, all)) applied.push(migration.name);
  }
  return applied;
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).toSorted();
  const numbers = new Set<string>();
  for (const file of files) {
    const number = /^(\d{3})-[a-z0-9-]+\.sql$/.exec(file)?.[1];
    if (number === undefined) throw invalid(`${file} is not named NNN-name.sql (lower case)`);
    if (numbers.has(number)) throw invalid(`two files have the number ${number}; give one of them the next free one`);
    numbers.add(number);
  }
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.sql'.length),
      sql: await readFile(join(directory, file), 'utf8'),
    })),
  );
}

/** Applies one migration unless another instance was faster. */
async function apply(db: Database, migration: Migration, all: readonly Migration[]): Promise<boolean> {
  return db.transaction(
    async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))', ['tocsin.migrations', db.schema]);
      await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [String(LOCK_TIMEOUT_MS)]);
      await prepareSchema(tx, db.schema);
      const applied = await appliedIn(tx, db.schema);
      if (applied.has(migration.name)) return false;
      checkAgainst(applied, all);
      await tx.query(migration.sql);
      await tx.query('INSERT INTO migrations (name, checksum) VALUES ($1, $2)', [migration.name, checksum(migration)]);
      return true;
    },
    { timeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
  );
}

async function prepareSchema(tx: Queryable, schema: string): Promise<void> {
  const [found] = await tx.query<{ missing: boolean }>('SELECT to_regnamespace($1) IS NULL AS missing', [schema]);
  if (found?.missing === true) await tx.query(`CREATE SCHEMA "${schema}"`);
  await tx.query(`CREATE TABLE IF NOT EXISTS "${schema}".migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
}

async function appliedIn(db: Queryable, schema: string): Promise<Map<string, string>> {
  const [table] = await db.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [
    `${schema}.migrations`,
  ]);
  if (table?.exists !== true) return new Map();
  const rows = await db.query<{ name: string; checksum: string }>(`SELECT name, checksum FROM "${schema}".migrations`);
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function checkAgainst(applied: ReadonlyMap<string, string>, all: readonly Migration[]): void {
  const numbered = [...applied.keys()].filter((name) => /^\d/.test(name)).toSorted();
  const latest = numbered.at(-1) ?? '';
  for (const migration of all) {
    const known = applied.get(migration.name);
    if (known === undefined) {
      if (/^\d/.test(migration.name) && migration.name < latest) {
        throw invalid(`${migration.name} comes before ${latest}, which is applied already; give it a higher number`);
      }
    } else if (known !== checksum(migration)) {
      throw invalid(`${migration.name} was changed after it was applied; undo the change and add a new migration`);
    }
  }
}

function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n').trim()).digest('hex');
}

function invalid(why: string): TocsinError {
  return new TocsinError('invalid', `The migrations cannot be applied: ${why}.`);
}
