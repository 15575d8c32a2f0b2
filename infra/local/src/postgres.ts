import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedPostgres } from './embedded-postgres.ts';
import { temporaryDir } from './temporary.ts';
import { withClient } from './pg-client.ts';
import { freePort } from './ports.ts';
import { createTocsinDatabase, type DatabaseRole } from './postgres-bootstrap.ts';
import { run } from './run.ts';
import { RunningServer } from './running.ts';
import { findOrFetchServers } from './servers.ts';
import { Unprivileged } from './unprivileged.ts';

export interface PostgresOptions {
  port?: number;
  dataDir?: string;
  logFile?: string;
  /** False only for tests: a power failure may then break the files. Default true. */
  durable?: boolean;
  /** The superuser's password, and each role's; for tests a fixed one. */
  password?: string;
  rolePasswords?: Record<DatabaseRole, string>;
  /** More `name=value` settings. */
  settings?: string[];
}

const SUPERUSER = 'tocsin_admin';

/** A PostgreSQL server on 127.0.0.1 that can create Tocsin databases. */
export class RunningPostgres extends RunningServer {
  /** The superuser's address, database `postgres`. */
  superuserUrl = '';
  rolePasswords: Record<DatabaseRole, string> | undefined;

  /** Creates a database with Tocsin's roles and schemas (see infra/postgres/bootstrap.sql); does nothing to one that is there. */
  async createDatabase(name: string): Promise<{ urlFor(role: DatabaseRole): string }> {
    return await createTocsinDatabase(this.superuserUrl, name, this.rolePasswords);
  }
}

/**
 * Starts PostgreSQL (initialising the data folder when it is empty) and waits until a write works.
 * As root it runs under another user, since it refuses root.
 * @throws when it can't be found or started, or the data belong to another major version.
 */
export async function startPostgres(o: PostgresOptions = {}): Promise<RunningPostgres> {
  const dataDir = o.dataDir ?? temporaryDir('postgres');
  const port = o.port ?? (await freePort());
  const user = await Unprivileged.find();
  const bin = await binariesFor(dataDir);
  const password = o.password ?? 'tocsin';
  const files = join(dataDir, 'files');
  if (!existsSync(join(files, 'PG_VERSION'))) await initialise(bin, dataDir, { user, password });
  const superuserUrl = `postgres://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const server = new RunningPostgres({
    name: 'PostgreSQL',
    url: `postgres://127.0.0.1:${port}`,
    port,
    ...user.launch(join(bin, 'postgres'), ['-D', files, ...settings(o, port).flatMap((line) => ['-c', line])]),
    // Fast shutdown: clients are disconnected, nothing waits for them.
    stopSignal: 'SIGINT',
    logFile: o.logFile ?? join(dataDir, 'postgres.log'),
    ready: () =>
      withClient(superuserUrl, async (client) => {
        await client.query('CREATE TEMPORARY TABLE readiness AS SELECT 1');
      }),
  });
  server.superuserUrl = superuserUrl;
  server.rolePasswords = o.rolePasswords;
  await server.start();
  return server;
}

function settings(o: PostgresOptions, port: number): string[] {
  const lines = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=64MB',
    'max_wal_size=512MB',
    'wal_level=replica',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_min_messages=warning',
    'jit=off',
  ];
  if (o.durable === false) lines.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  return [...lines, ...(o.settings ?? [])];
}

/** The binaries of the data's own major version; any for an empty folder. */
async function binariesFor(dataDir: string): Promise<string> {
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

async function initialise(bin: string, dataDir: string, o: { user: Unprivileged; password: string }): Promise<void> {
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
