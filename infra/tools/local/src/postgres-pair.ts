import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseRole } from '@tocsin/contracts';
import { freePort } from './ports.ts';
import { createTocsinDatabase } from './postgres-bootstrap.ts';
import { binariesFor, initialise } from './postgres-files.ts';
import { PostgresKeeper } from './postgres-keeper.ts';
import { PairMember } from './postgres-member.ts';
import { PairState, postgresNames, type PostgresName } from './postgres-pair-state.ts';
import type { RunningServer } from './running.ts';
import { temporaryDir } from './temporary.ts';
import { Unprivileged } from './unprivileged.ts';

export interface PostgresPairOptions {
  /** Holds both servers' data, and who is the primary. */
  dataDir?: string;
  logDir?: string;
  /** False only for tests: a power failure may then break the files; a kill may not. Default true. */
  durable?: boolean;
  /** The superuser's password, and each role's; for tests a fixed one. */
  password?: string;
  rolePasswords?: Record<DatabaseRole, string>;
  /** More `name=value` settings. */
  settings?: string[];
  /** The `host:port` by which `from` reaches `to`, which listens on 127.0.0.1:`port`; by default just that. */
  addressFor?(from: 'keeper' | PostgresName, to: PostgresName, port: number): string | Promise<string>;
  /** A server has another process (-1: none), another part, or is in sync or no longer. */
  onChange?: (name: PostgresName, pid: number) => void;
  say?: (line: string) => void;
}

const START_MS = 60_000;

/** A primary, a synchronous standby, and the keeper that promotes it. */
export class PostgresPair {
  readonly members: ReadonlyMap<PostgresName, RunningServer>;

  constructor(
    private readonly pair: ReadonlyMap<PostgresName, PairMember>,
    private readonly state: PairState,
    private readonly keeper: PostgresKeeper,
    private readonly rolePasswords: Record<DatabaseRole, string> | undefined,
  ) {
    this.members = new Map([...pair].map(([name, member]) => [name, member.server]));
  }

  get primary(): PostgresName {
    return this.state.primary;
  }

  /** Whether the standby has every acknowledged commit, so that the primary may be lost. */
  get inSync(): boolean {
    return this.state.use === 'in-sync';
  }

  /**
   * Creates a database with Tocsin's roles and schemas; does nothing to one that is there. Its `urlFor` names both
   * servers, or the `addresses` (`host:port`) given instead of theirs.
   */
  async createDatabase(name: string): Promise<{ urlFor(role: DatabaseRole, addresses?: string[]): string }> {
    const database = await createTocsinDatabase(this.keeper.primary.url, name, this.rolePasswords);
    const own = [...this.members.values()].map((server) => `127.0.0.1:${server.port}`);
    return {
      urlFor: (role, addresses = own) => database.urlFor(role).replace(/@[^@/]+\//, `@${addresses.join(',')}/`),
    };
  }

  /** From now on this server is not started again when it ends. @returns whether it is one of these two */
  hold(name: string): boolean {
    return this.setHeld(name, true);
  }

  /** It is started again, at once if it has ended meanwhile. @returns whether it is one of these two */
  release(name: string): boolean {
    const ours = this.setHeld(name, false);
    this.keeper.poke();
    return ours;
  }

  /** Stops the keeper, then the primary (which gives the standby its last data), then the standby. */
  async stop(): Promise<void> {
    await this.keeper.stop();
    await this.keeper.primary.server.stop();
    await this.keeper.standby.server.stop();
  }

  private setHeld(name: string, held: boolean): boolean {
    const member = postgresNames.includes(name as PostgresName) ? this.pair.get(name as PostgresName) : undefined;
    if (member) member.held = held;
    return member !== undefined;
  }
}

/**
 * Starts two PostgreSQL servers, one the standby of the other, and keeps them so: the primary's place is taken when it
 * ends or falls silent, and the lost one comes back as the standby. Resolves when the standby is in sync.
 * @throws when they can't be started within a minute
 */
export async function startPostgresPair(o: PostgresPairOptions = {}): Promise<PostgresPair> {
  const dataDir = o.dataDir ?? temporaryDir('postgres-pair');
  const user = await Unprivileged.find();
  const state = new PairState(dataDir);
  const primaryDir = join(dataDir, state.primary);
  const bin = await binariesFor(primaryDir);
  const password = o.password ?? 'tocsin';
  if (!existsSync(join(primaryDir, 'files', 'PG_VERSION'))) await initialise(bin, primaryDir, { user, password });
  state.save({});
  const changed = (): void => pair.members.forEach((server, name) => o.onChange?.(name, server.pid));
  const ended = (): void => {
    keeper.poke();
    changed();
  };
  const members = await createMembers({ ...o, dataDir, password }, { bin, user, ended });
  const keeper = new PostgresKeeper({ members, state, user, changed, say: o.say ?? (() => undefined) });
  const pair = new PostgresPair(members, state, keeper, o.rolePasswords);
  keeper.start();
  const deadline = performance.now() + START_MS;
  while (!pair.inSync || !keeper.standby.server.alive) {
    if (performance.now() > deadline) {
      await pair.stop();
      throw new Error('The PostgreSQL pair could not be started.', { cause: keeper.lastError });
    }
    await delay(20);
  }
  return pair;
}

async function createMembers(
  o: PostgresPairOptions & { dataDir: string; password: string },
  how: { bin: string; user: Unprivileged; ended: () => void },
): Promise<ReadonlyMap<PostgresName, PairMember>> {
  const ports: Record<PostgresName, number> = { 'postgres-1': await freePort(), 'postgres-2': await freePort() };
  const address = async (from: 'keeper' | PostgresName, to: PostgresName): Promise<string> =>
    (await o.addressFor?.(from, to, ports[to])) ?? `127.0.0.1:${ports[to]}`;
  const settings = [...(o.durable === false ? ['fsync=off', 'full_page_writes=off'] : []), ...(o.settings ?? [])];
  const members = new Map<PostgresName, PairMember>();
  for (const name of postgresNames) {
    const other = name === 'postgres-1' ? 'postgres-2' : 'postgres-1';
    const member = new PairMember(
      name,
      {
        bin: how.bin,
        user: how.user,
        dataDir: join(o.dataDir, name),
        logFile: join(o.logDir ?? o.dataDir, `${name}.log`),
        port: ports[name],
        password: o.password,
        keeperAddress: await address('keeper', name),
        sourceAddress: await address(name, other),
        settings,
      },
      how.ended,
    );
    members.set(name, member);
  }
  return members;
}
