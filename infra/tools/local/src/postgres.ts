import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseRole } from '@tocsin/contracts';
import { temporaryDir } from './temporary.ts';
import { withClient } from './pg-client.ts';
import { freePort } from './ports.ts';
import { createTocsinDatabase } from './postgres-bootstrap.ts';
import { binariesFor, commonSettings, initialise, superuserUrlAt } from './postgres-files.ts';
import { RunningServer } from './running.ts';
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

/** A PostgreSQL server on 127.0.0.1 that can create Tocsin databases. */
export class RunningPostgres extends RunningServer {
  /** The superuser's address, database `postgres`. */
  superuserUrl = '';
  rolePasswords: Record<DatabaseRole, string> | undefined;

  /** Creates a database with Tocsin's roles and schemas (see infra/deploy/postgres/bootstrap.sql); does nothing to one that is there. */
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
  const superuserUrl = superuserUrlAt(`127.0.0.1:${port}`, password);
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
  const lines = commonSettings(port);
  if (o.durable === false) lines.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  return [...lines, ...(o.settings ?? [])];
}
