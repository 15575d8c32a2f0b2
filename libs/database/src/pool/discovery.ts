import { sleep } from '@tocsin/core';
import type { Host } from './address.ts';
import { Connection, type Session } from './connection.ts';

/** Which server a pool wants. */
export type Wanted = 'primary' | 'any';

interface Probe {
  connection: Connection;
  standby: boolean;
  timeline: number;
}

/** How long a found primary waits for a better one (two answer while an old primary has not been stopped yet). */
const RIVAL_MS = 150;
/** The same, where there is reason to believe that there is a better one. */
const LIKELY_RIVAL_MS = 1_000;

const PROBE = `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
  CASE WHEN pg_is_in_recovery() THEN '0' ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline`;

/** Finds the server that is wanted among the hosts of an address, and remembers it. */
export class Discovery {
  private known: Host | undefined;
  private rivalMs = RIVAL_MS;
  private search: Promise<Host> | undefined;

  constructor(
    private readonly session: Session,
    private readonly wanted: Wanted,
  ) {}

  /** Opens a connection to the wanted server. @throws the driver's error, or Error naming the hosts that were tried */
  async open(): Promise<Connection> {
    const { known } = this;
    if (known !== undefined) {
      try {
        return (await this.probe(known)).connection;
      } catch (error) {
        this.forget();
        if (this.session.address.hosts.length === 1) throw error;
      }
    }
    const host = await this.find();
    const { connection } = await this.probe(host);
    this.known = host;
    this.rivalMs = RIVAL_MS;
    return connection;
  }

  /** Forgets the server, after it failed or turned out to be a standby. */
  forget(): void {
    this.known = undefined;
  }

  /** Forgets the server, which may have been replaced without our knowing; an old primary can still answer. */
  mistrust(): void {
    this.forget();
    this.rivalMs = LIKELY_RIVAL_MS;
  }

  /** Whether there is another server to go to. */
  get hasChoice(): boolean {
    return this.session.address.hosts.length > 1;
  }

  /** Asks all hosts again for the wanted server, and remembers it. @throws Error when none of them is it */
  async again(): Promise<Host> {
    this.known = await this.find();
    return this.known;
  }

  private find(): Promise<Host> {
    this.search ??= this.searchAll().finally(() => (this.search = undefined));
    return this.search;
  }

  /** Asks all hosts at once. Of several primaries the one on the highest timeline was promoted last. */
  private async searchAll(): Promise<Host> {
    const { hosts } = this.session.address;
    const [only] = hosts;
    if (hosts.length === 1 && only !== undefined) return only;
    const found: Probe[] = [];
    const failures: string[] = [];
    const probes = hosts.map((host) =>
      this.probe(host).then(
        (probe) => found.push(probe),
        (error: unknown) => failures.push(error instanceof Error ? error.message : String(error)),
      ),
    );
    const all = Promise.all(probes);
    await Promise.race([all, ...probes.map((probe) => probe.then(() => (found.length > 0 ? undefined : all)))]);
    await Promise.race([all, sleep(this.rivalMs)]);
    void all.then(() => Promise.all(found.map((probe) => probe.connection.close())));
    const best = found.toSorted((a, b) => Number(b.standby) - Number(a.standby) || b.timeline - a.timeline)[0];
    if (best !== undefined) return best.connection.host;
    throw new Error(`none of ${hosts.length} servers is usable: ${failures.join('; ')}`);
  }

  private async probe(host: Host): Promise<Probe> {
    const connection = await Connection.open(this.session, host);
    try {
      const { rows } = await connection.run<{ standby: boolean; read_only: boolean; timeline: string }>(
        PROBE,
        [],
        undefined,
        this.session.connectTimeoutMs,
      );
      const row = rows[0];
      const readOnly = row === undefined || row.standby || row.read_only;
      if (readOnly && this.wanted === 'primary') throw new Error(`${host.host}:${host.port} is read-only (a standby)`);
      return { connection, standby: row?.standby ?? true, timeline: Number.parseInt(row?.timeline ?? '0', 16) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}
