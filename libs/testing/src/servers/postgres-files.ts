import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedPostgres } from './embedded-postgres.ts';
import { run } from './run.ts';
import { findOrFetchServers } from './servers.ts';
import type { Unprivileged } from './unprivileged.ts';

export const SUPERUSER = 'tocsin_admin';

/** The binaries of the data's own major version; any for an empty folder. */
export async function binariesFor(dataDir: string): Promise<string> {
  const { postgres } = await findOrFetchServers();
  const marker = join(dataDir, 'files', 'PG_VERSION');
  if (!existsSync(marker)) return postgres;
  const major = readFileSync(marker, 'utf8').trim();
  for (const bin of [postgres, await embeddedPostgres()]) {
    if (bin && (await majorOf(bin)) === major) return bin;
  }
  throw new Error(
    `The data in ${dataDir} were written by PostgreSQL ${major}, which is not here any more. ` +
      'Install that version, or start over with `npm start -- --fresh`, which deletes the data.',
  );
}

async function majorOf(bin: string): Promise<string | undefined> {
  return /\)\s+(\d+)/.exec((await run(join(bin, 'postgres'), ['--version'])).stdout)?.[1];
}

/**
 * Fills `dataDir/files` with an empty cluster, whatever was there before.
 * @throws with what initdb said
 */
export async function initialise(
  bin: string,
  dataDir: string,
  o: { user: Unprivileged; password: string },
): Promise<void> {
  const files = join(dataDir, 'files');
  const passwordFile = join(dataDir, 'password');
  rmSync(files, { recursive: true, force: true });
  mkdirSync(files, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, o.password, { mode: 0o600 });
  o.user.own(dataDir);
  const initdb = o.user.launch(
    join(bin, 'initdb'),
    [
      ['-D', files, '-U', SUPERUSER, '--pwfile', passwordFile, '--auth=scram-sha-256'],
      ['--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'],
    ].flat(),
  );
  const ran = await run(initdb.command, initdb.args);
  rmSync(passwordFile, { force: true });
  if (ran.code === 0) return;
  rmSync(files, { recursive: true, force: true });
  throw new Error(`initdb failed: ${ran.output.trim().slice(-1_000)}`);
}
