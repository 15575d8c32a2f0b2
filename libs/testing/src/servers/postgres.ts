import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseRole } from '@tocsin/contracts';
import { temporaryDir } from './temporary.ts';
import { withClient } from './pg-client.ts';
import { freePort } from './ports.ts';
import { createTocsinDatabase } from './postgres-bootstrap.ts';
import { binariesFor, initialise, SUPERUSER } from './postgres-files.ts';
import { RunningServer } from './running.ts';
import { signalPostgres, signalUnlessGone } from './signal-postgres.ts';
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
  /**
   * Makes it a standby of that server, which answers reads and is promoted by nobody. `dataDir` holds a copy of that
   * server's, which was made while that server was stopped.
   */
  standbyOf?: RunningPostgres;
  /** More `name=value` settings. */
  settings?: string[];
}

/** A PostgreSQL server on 127.0.0.1 that can create Tocsin databases. */
export class RunningPostgres extends RunningServer {
  /** The superuser's address, database `postgres`. */
  superuserUrl = '';
  rolePasswords: Record<DatabaseRole, string> | undefined;

  /** Signals every process of the server, not the first alone. @returns once each has ended or stands, as the signal says */
  override async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.alive) return;
    const others = signalPostgres(this.pid, signal);
    await super.kill(signal);
    if (signal !== 'SIGKILL') return void (await others);
    for (const pid of await others) while (signalUnlessGone(pid, 0)) await delay(1);
  }

  /** Creates a database with Tocsin's roles and schemas (see infra/deploy/postgres/bootstrap.sql); does nothing to one that is there. */
  async createDatabase(name: string): Promise<{ urlFor(role: DatabaseRole): string }> {
    return await createTocsinDatabase(this.superuserUrl, name, this.rolePasswords);
  }
}

/**
 * Starts PostgreSQL (initialising the data folder when it is empty) and waits until a write works, or a read at a standby.
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
  if (o.standbyOf) writeFileSync(join(files, 'standby.signal'), '');
  const superuserUrl = `postgres://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const server = new RunningPostgres({
    name: 'PostgreSQL',
    url: `postgres://127.0.0.1:${port}`,
    port,
    ...user.launch(join(bin, 'postgres'), [
      '-D',
      files,
      ...settings(o, port, password).flatMap((line) => ['-c', line]),
    ]),
    // Fast shutdown: clients are disconnected, nothing waits for them.
    stopSignal: 'SIGINT',
    logFile: o.logFile ?? join(dataDir, 'postgres.log'),
    ready: () =>
      withClient(superuserUrl, async (client) => {
        await client.query(o.standbyOf ? 'SELECT 1' : 'CREATE TEMPORARY TABLE readiness AS SELECT 1');
      }),
  });
  server.superuserUrl = superuserUrl;
  server.rolePasswords = o.rolePasswords;
  await server.start();
  return server;
}

function settings(o: PostgresOptions, port: number, password: string): string[] {
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
  if (o.standbyOf) {
    const source = `host=127.0.0.1 port=${o.standbyOf.port} user=${SUPERUSER} password=${password}`;
    lines.push(`primary_conninfo=${source}`, 'wal_retrieve_retry_interval=500ms');
  }
  return [...lines, ...(o.settings ?? [])];
}
