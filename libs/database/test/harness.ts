import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atTheEnd, postgres } from '@tocsin/testing';
import { Database, type DatabaseOptions } from '../src/index.ts';

/** A pool of the owner of `monitors` in a database, closed after the spec file. */
export function open(url: string, options: Partial<DatabaseOptions> = {}): Database {
  const db = new Database({ url, schema: 'monitors', applicationName: 'test', ...options });
  atTheEnd(() => db.close());
  return db;
}

/** A fresh database, and a pool in it. */
export async function fresh(options: Partial<DatabaseOptions> = {}): Promise<{ db: Database; url: string }> {
  const url = (await postgres()).urlFor('monitors');
  return { db: open(url, options), url };
}

/** A folder with these files in it, deleted after the spec file. */
export async function folder(files: Record<string, string> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tocsin-migrations-'));
  atTheEnd(() => rm(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

/** A promise that is settled from outside. */
export function gate(): { wait: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}
