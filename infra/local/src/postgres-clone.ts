import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClient } from './pg-client.ts';
import type { Unprivileged } from './unprivileged.ts';

export interface CloneOptions {
  /** The superuser's address of the running server. */
  url: string;
  from: string;
  to: string;
  user: Unprivileged;
}

const LONGEST_MS = 120_000;
const AT_ONCE = 8;

/** What belongs to the running server, or to nobody. */
const NOT_COPIED =
  /^(postmaster\.(pid|opts)|backup_label.*|tablespace_map.*|(standby|recovery)\.signal|postgresql\.auto\.conf.*|pg_internal\.init.*|pgsql_tmp.*)$/;
/** Folders that must be there, but empty. The log comes from the running server by replication. */
const EMPTIED = new Set(['replslot', 'dynshmem', 'notify', 'serial', 'snapshots', 'stat_tmp', 'subtrans', 'wal']);

/**
 * Copies a running server's files into the folder of a stopped one, as pg_basebackup would (not every distribution has
 * it), and makes that a standby. What was in the folder is gone; the folder itself stays, for by it the server finds and
 * removes the shared memory that a killed predecessor left.
 * @throws when either fails; the copy is then of no use. Retry.
 */
export async function cloneStandby(o: CloneOptions): Promise<void> {
  await withClient(
    o.url,
    async (client) => {
      await client.query("SELECT pg_backup_start('tocsin', true)");
      await mkdir(o.to, { recursive: true, mode: 0o700 });
      for (const name of await readdir(o.to)) await rm(join(o.to, name), { recursive: true, force: true });
      await copyFolder(o.from, o.to, (name) => name === 'global/pg_control');
      // The last of all, so that it is not newer than what it refers to.
      await copyFile(join(o.from, 'global/pg_control'), join(o.to, 'global/pg_control'));
      const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
      await writeFile(join(o.to, 'backup_label'), String(rows[0]?.['labelfile']));
      await writeFile(join(o.to, 'postgresql.auto.conf'), '');
      await writeFile(join(o.to, 'standby.signal'), '');
    },
    LONGEST_MS,
  );
  o.user.own(o.to);
}

async function copyFolder(from: string, to: string, skip: (path: string) => boolean): Promise<void> {
  const files: string[] = [];
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(from.length + 1);
    if (entry.isDirectory() && !isLeftOut(path)) await mkdir(join(to, path), { recursive: true, mode: 0o700 });
    if (entry.isFile() && isWanted(path) && !skip(path)) files.push(path);
  }
  const copyNext = async (): Promise<void> => {
    for (let path = files.pop(); path !== undefined; path = files.pop()) {
      await copyFile(join(from, path), join(to, path)).catch(unlessGone);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, copyNext));
}

function isWanted(path: string): boolean {
  if (path.split('/').some((part) => NOT_COPIED.test(part))) return false;
  return !isLeftOut(path) || /^pg_wal\/\w+\.history$/.test(path);
}

/** Whether it is inside one of the folders that stay empty. */
function isLeftOut(path: string): boolean {
  const [top = '', inside] = path.split('/');
  return inside !== undefined && EMPTIED.has(top.replace(/^pg_/, ''));
}

/** The server drops files while they are copied; the log tells the copy so. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
