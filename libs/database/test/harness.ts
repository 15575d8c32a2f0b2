import { execFileSync } from 'node:child_process';
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

/** The server and each of its backends: frozen alone, it would only take no new connections. */
export function signalAll(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
  const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  for (const [child, parent] of all.map((line) => line.trim().split(/\s+/).map(Number))) {
    if (parent === pid && child !== undefined) signalUnlessGone(child, signal);
  }
}

/** A backend may end between being listed and being signalled. */
function signalUnlessGone(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A promise that is settled from outside. */
export function gate(): { wait: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}
