import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClient } from './pg-client.ts';
import { run } from './run.ts';
import type { Unprivileged } from './unprivileged.ts';

export interface CloneOptions {
  /** The superuser's address of the running server. */
  url: string;
  from: string;
  to: string;
  user: Unprivileged;
}

const LONGEST_MS = 120_000;

/** What belongs to the running server, or to nobody; temporary files inside the folders are removed at the start. */
const NOT_COPIED = /^(postmaster\.(pid|opts)|backup_label.*|tablespace_map.*|.*\.signal|postgresql\.auto\.conf.*)$/;
/** Folders that must be there, but empty. The log comes from the running server by replication. */
const EMPTIED = /^pg_(replslot|dynshmem|notify|serial|snapshots|stat_tmp|subtrans|wal)$/;
const CONTROL = 'global/pg_control';

/**
 * Copies a running server's files into the folder of a stopped one, as pg_basebackup would (not every distribution has
 * it), and makes that a standby. What was in the folder is gone; the folder itself stays, for by it the server finds and
 * removes the shared memory that a killed predecessor left.
 * @throws when either fails; the copy is then of no use. Retry.
 */
export async function cloneStandby(o: CloneOptions): Promise<void> {
  const { from, to } = o;
  await withClient(
    o.url,
    async (client) => {
      await client.query("SELECT pg_backup_start('tocsin', true)");
      await mkdir(to, { recursive: true, mode: 0o700 });
      await copyAll(o);
      // The last of all, so that it is not newer than what it refers to.
      await copyFile(join(from, CONTROL), join(to, CONTROL));
      const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
      await writeFile(join(to, 'backup_label'), String(rows[0]?.['labelfile']));
      await writeFile(join(to, 'postgresql.auto.conf'), '');
      await writeFile(join(to, 'standby.signal'), '');
    },
    LONGEST_MS,
  );
  o.user.own(to);
}

async function copyAll({ from, to, user }: CloneOptions): Promise<void> {
  const before = (await readdir(to)).map((name) => join(to, name));
  const emptied = await run('rm', ['-rf', '--', ...before]);
  if (emptied.code !== 0) throw new Error(`${to} could not be emptied: ${emptied.output.trim()}`);
  const names = (await readdir(from)).filter((name) => !NOT_COPIED.test(name));
  const wanted = names.filter((name) => !EMPTIED.test(name)).map((name) => join(from, name));
  // Thousands of small files: one process copies them in a fraction of the time that this one would need.
  user.own(to);
  const cp = user.launch('cp', ['-R', '--', ...wanted, to]);
  const copied = await run(cp.command, cp.args, { env: { ...process.env, LC_ALL: 'C' } });
  // The server drops files while they are copied; its log tells the copy so.
  const problems = copied.output
    .split('\n')
    .filter((line) => line !== '' && !line.includes('No such file or directory'));
  if (copied.code !== 0 && (copied.code !== 1 || problems.length > 0)) {
    throw new Error(`${from} could not be copied: ${problems.join('; ')}`);
  }
  for (const name of names.filter((each) => EMPTIED.test(each))) await mkdir(join(to, name), { mode: 0o700 });
  const histories = (await readdir(join(from, 'pg_wal'))).filter((name) => name.endsWith('.history'));
  for (const name of histories) await copyFile(join(from, 'pg_wal', name), join(to, 'pg_wal', name));
}
