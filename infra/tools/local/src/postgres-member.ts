import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackOff } from './back-off.ts';
import { isServerError, withClient } from './pg-client.ts';
import { commonSettings, SUPERUSER, superuserUrlAt } from './postgres-files.ts';
import type { PostgresName } from './postgres-pair-state.ts';
import { killAllIn } from './process-folder.ts';
import { RunningServer } from './running.ts';
import type { Unprivileged } from './unprivileged.ts';

export interface MemberOptions {
  bin: string;
  user: Unprivileged;
  /** Holds `files`, and the password for the replication. */
  dataDir: string;
  logFile: string;
  port: number;
  password: string;
  /** `host:port` by which the keeper reaches it. */
  keeperAddress: string;
  /** `host:port` by which it reaches the other server. */
  sourceAddress: string;
  /** More `name=value` settings. */
  settings: string[];
}

/** What a server says of itself and of the standby that follows it. */
export interface MemberStatus {
  recovering: boolean;
  /** The names that commits wait for; empty when they wait for none. */
  names: string;
  /** The standby that follows: whether commits wait for it, how far it is behind, and how long it has said nothing. */
  follower: { sync: boolean; behindBytes: number; quietMs: number } | undefined;
}

const STATUS = `SELECT pg_is_in_recovery() AS recovering, current_setting('synchronous_standby_names') AS names,
  r.sync_state, (extract(epoch FROM clock_timestamp() - r.reply_time) * 1000)::float8 AS quiet_ms,
  CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_flush_lsn(), r.flush_lsn)::float8 END AS behind
  FROM (SELECT 1) one LEFT JOIN (SELECT * FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'
  ORDER BY reply_time DESC LIMIT 1) r ON true`;

/** The server is there, but not yet (or no longer) open to statements. */
const CANNOT_CONNECT_NOW = '57P03';

/** One of the two servers of a pair: its process, its files, and what it answers. */
export class PairMember {
  readonly server: RunningServer;
  readonly files: string;
  readonly backOff = new BackOff();
  /** It is not started while this is set. */
  held = false;
  /** How long it has not answered, in ms; time in which this process itself stood still is left out. */
  silentMs = 0;

  constructor(
    readonly name: PostgresName,
    private readonly o: MemberOptions,
    private readonly ended: () => void,
  ) {
    this.files = join(o.dataDir, 'files');
    const passFile = join(o.dataDir, 'replication-password');
    this.server = new RunningServer({
      name,
      url: `postgres://127.0.0.1:${o.port}`,
      port: o.port,
      ...o.user.launch(join(o.bin, 'postgres'), ['-D', this.files, ...this.settings().flatMap((line) => ['-c', line])]),
      env: { ...process.env, PGPASSFILE: passFile },
      stopSignal: 'SIGINT',
      logFile: o.logFile,
      ready: () => this.ready(),
    });
    mkdirSync(o.dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(passFile, `*:*:*:*:${o.password.replaceAll(/[\\:]/g, String.raw`\$&`)}\n`, { mode: 0o600 });
  }

  /** The superuser's address as the keeper reaches it, database `postgres`. */
  get url(): string {
    return superuserUrlAt(this.o.keeperAddress, this.o.password);
  }

  get other(): PostgresName {
    return this.name === 'postgres-1' ? 'postgres-2' : 'postgres-1';
  }

  /** Starts it with the files as they are; as a standby when `as` says so, else as what it was. */
  async start(as: 'standby' | 'as it was'): Promise<void> {
    await this.fence();
    if (as === 'standby') writeFileSync(this.signalFile, '');
    this.o.user.own(this.o.dataDir);
    await this.server.start();
    this.silentMs = 0;
    this.server.process?.once('exit', this.ended);
  }

  /** Ends it for certain: none of its processes is left to answer anybody. */
  async fence(): Promise<void> {
    if (existsSync(this.files)) await killAllIn(this.files, this.server);
  }

  /** Asks how it is, through the keeper's road to it; undefined when it does not say. Keeps count of its silence. */
  async status(timeoutMs: number): Promise<MemberStatus | undefined> {
    const startedAt = performance.now();
    try {
      const status = await this.askStatus(timeoutMs);
      this.silentMs = 0;
      return status;
    } catch (error) {
      this.silentMs = isServerError(error) ? 0 : this.silentMs + Math.min(performance.now() - startedAt, timeoutMs);
      return undefined;
    }
  }

  /** Runs statements one after another, each its own transaction that waits for no standby; the last one's rows. */
  async order(timeoutMs: number, ...statements: string[]): Promise<Record<string, unknown>[]> {
    return await withClient(
      this.url,
      async (client) => {
        await client.query('SET synchronous_commit = local');
        let rows: Record<string, unknown>[] = [];
        for (const statement of statements) ({ rows } = await client.query(statement));
        return rows;
      },
      timeoutMs,
    );
  }

  private async askStatus(timeoutMs: number): Promise<MemberStatus> {
    const { rows } = await withClient(this.url, (client) => client.query(STATUS, [this.other]), timeoutMs);
    const row = rows[0] ?? {};
    return {
      recovering: row['recovering'] === true,
      names: String(row['names']),
      follower:
        typeof row['behind'] === 'number'
          ? {
              sync: row['sync_state'] === 'sync',
              behindBytes: row['behind'],
              quietMs: Number(row['quiet_ms']),
            }
          : undefined,
    };
  }

  /** A primary must take statements. A standby may have to wait for its primary, so it only must be there. */
  private async ready(): Promise<void> {
    try {
      await withClient(
        superuserUrlAt(`127.0.0.1:${this.o.port}`, this.o.password),
        (client) => client.query('SELECT 1'),
        1_000,
      );
    } catch (error) {
      const there = isServerError(error) && error.code === CANNOT_CONNECT_NOW;
      if (!there || !existsSync(this.signalFile)) throw error;
    }
  }

  private get signalFile(): string {
    return join(this.files, 'standby.signal');
  }

  private settings(): string[] {
    const [host, port] = this.o.sourceAddress.split(':');
    return [
      ...commonSettings(this.o.port),
      `cluster_name=${this.name}`,
      `primary_conninfo=host=${host} port=${port} user=${SUPERUSER} application_name=${this.name} connect_timeout=2`,
      // Enough for a copy that has just been made, and for a short absence; after a longer one it is made anew.
      'wal_keep_size=256MB',
      'wal_sender_timeout=5s',
      'wal_receiver_timeout=5s',
      'wal_receiver_status_interval=1s',
      'wal_retrieve_retry_interval=500ms',
      'max_standby_streaming_delay=1s',
      ...this.o.settings,
    ];
  }
}
