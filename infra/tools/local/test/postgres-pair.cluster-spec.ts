import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Database } from '@tocsin/database';
import { type PostgresName, type PostgresPair, startPostgresPair, temporaryDir } from '@tocsin/local';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Links } from '../src/links.ts';
import { processesIn } from '../src/process-folder.ts';

// The lost server's files are copied anew each time, which a busy disk makes slow.
vi.setConfig({ testTimeout: 60_000 });

const WRITERS = 8;
const dataDir = temporaryDir('pair');

let links: Links;
let pair: PostgresPair;
let url: string;

/** Eight writers that note when each of their rows was acknowledged; one that failed is left, never written again. */
class Writers {
  readonly acknowledged: { id: string; at: number }[] = [];
  private readonly db = new Database({ url, schema: 'incidents', applicationName: 'writers', poolSize: WRITERS });
  private stopped = false;
  private readonly running: Promise<unknown>;

  constructor(run: string) {
    this.running = Promise.all(Array.from({ length: WRITERS }, (_, writer) => this.write(`${run}-${writer}`)));
  }

  /** The longest time without an acknowledgement since then, in ms; what is not over yet counts. */
  gapSince(start: number): number {
    const times = [start, ...this.acknowledged.map(({ at }) => at).filter((at) => at > start), performance.now()];
    return Math.max(...times.slice(1).map((at, index) => at - times[index]!));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.db.close();
  }

  private async write(writer: string): Promise<void> {
    for (let n = 0; !this.stopped; n += 1) {
      const id = `${writer}-${n}`;
      await this.db.query('INSERT INTO writes (id) VALUES ($1)', [id], { name: 'write' }).then(
        () => this.acknowledged.push({ id, at: performance.now() }),
        () => delay(5),
      );
      await delay(2);
    }
  }
}

/** Breaks something under eight writers, waits until the pair is whole again, and counts. */
async function under(run: string, fault: () => Promise<void> | void): Promise<{ gap: number }> {
  const writers = new Writers(run);
  await until(() => writers.acknowledged.length > 200, { what: 'the first rows' });
  const start = performance.now();
  await fault();
  await until(() => !pair.inSync, { what: 'the loss to be noticed' });
  await until(() => pair.inSync, { what: 'the standby to be in sync again', timeoutMs: 45_000 });
  const seen = writers.acknowledged.length;
  await until(() => writers.acknowledged.length > seen + 100, { what: 'rows with both servers' });
  const gap = writers.gapSince(start);
  await writers.stop();
  await expectEachOnce(writers);
  return { gap };
}

async function expectEachOnce(writers: Writers): Promise<void> {
  const db = new Database({ url, schema: 'incidents', applicationName: 'counting' });
  const rows = await db.query<{ id: string; n: number }>('SELECT id, count(*) AS n FROM writes GROUP BY id');
  await db.close();
  const stored = new Map(rows.map(({ id, n }) => [id, n]));
  expect(writers.acknowledged.filter(({ id }) => stored.get(id) !== 1)).toEqual([]);
}

const server = (name: PostgresName) => pair.members.get(name)!;
const standby = (): PostgresName => (pair.primary === 'postgres-1' ? 'postgres-2' : 'postgres-1');

/** As when a host stops: the server with all its processes. */
async function signalAll(name: PostgresName, signal: NodeJS.Signals): Promise<void> {
  process.kill(server(name).pid, signal);
  for (const pid of await processesIn(join(dataDir, name, 'files'), server(name).pid)) process.kill(pid, signal);
}

beforeAll(async () => {
  links = Links.start();
  atTheEnd(() => links.stop());
  const road = async (...way: Parameters<typeof links.road>): Promise<string> =>
    `127.0.0.1:${await links.road(...way)}`;
  pair = await startPostgresPair({
    dataDir,
    durable: false,
    addressFor: road,
  });
  atTheEnd(() => pair.stop());
  const addresses = [...pair.members].map(([name, { port }]) => road('writers', name, port));
  url = (await pair.createDatabase('tocsin')).urlFor('incidents', await Promise.all(addresses));
  const db = new Database({ url, schema: 'incidents', applicationName: 'setup' });
  await db.query('CREATE TABLE writes (id text)');
  await db.close();
});

describe('a PostgreSQL pair under writers keeps every acknowledged row, once', () => {
  it('when the primary is killed: the standby takes over, and the old primary comes back as its standby', async () => {
    const old = pair.primary;
    const { gap } = await under('killed', () => void process.kill(server(old).pid, 'SIGKILL'));
    expect(standby()).toBe(old);
    expect(gap).toBeLessThan(5_000);
  });

  it('when the primary takes no new connections', async () => {
    const old = pair.primary;
    const { gap } = await under('deaf', () => void process.kill(server(old).pid, 'SIGSTOP'));
    expect(standby()).toBe(old);
    expect(gap).toBeLessThan(6_000);
  });

  it('when the primary freezes with all its processes', async () => {
    const old = pair.primary;
    const { gap } = await under('frozen', () => signalAll(old, 'SIGSTOP'));
    expect(standby()).toBe(old);
    expect(gap).toBeLessThan(6_000);
  });

  it('when the standby is killed: writes go on without it, and it comes back', async () => {
    const old = standby();
    const { gap } = await under('standby killed', () => void process.kill(server(old).pid, 'SIGKILL'));
    expect(standby()).toBe(old);
    expect(gap).toBeLessThan(3_000);
  });

  it('when the standby freezes for a while: writes go on without it', async () => {
    const frozen = standby();
    const { gap } = await under('standby frozen', async () => {
      await signalAll(frozen, 'SIGSTOP');
      await until(() => !pair.inSync, { what: 'the loss to be noticed' });
      await signalAll(frozen, 'SIGCONT');
    });
    expect(standby()).toBe(frozen);
    expect(gap).toBeLessThan(6_000);
  });

  it('when the host of the primary is cut off: the standby takes over', async () => {
    const old = pair.primary;
    const { gap } = await under('cut', async () => {
      await links.cut({ host: old });
      await until(() => !pair.inSync, { what: 'the loss to be noticed' });
      await until(() => pair.primary !== old && server(old).alive, { what: 'the new standby', timeoutMs: 40_000 });
      await links.heal({ host: old });
    });
    expect(standby()).toBe(old);
    expect(gap).toBeLessThan(6_000);
  });

  it('when the host of the standby is cut off: writes go on without it', async () => {
    const cut = standby();
    const { gap } = await under('standby cut', async () => {
      await links.cut({ host: cut });
      await until(() => !pair.inSync, { what: 'the loss to be noticed' });
      await links.heal({ host: cut });
    });
    expect(standby()).toBe(cut);
    expect(gap).toBeLessThan(6_000);
  });

  it('when the keeper is cut off: it does nothing', async () => {
    const { primary } = pair;
    const writers = new Writers('keeper');
    const pid = server(primary).pid;
    await until(() => writers.acknowledged.length > 200, { what: 'the first rows' });
    const start = performance.now();
    await links.cut({ host: 'keeper' });
    await until(() => performance.now() - start > 4_000, { what: 'twice the silence that it suffers' });
    await links.heal({ host: 'keeper' });
    const seen = writers.acknowledged.length;
    await until(() => writers.acknowledged.length > seen + 300, { what: 'writes after it' });
    const gap = writers.gapSince(start);
    await writers.stop();
    await expectEachOnce(writers);
    expect(pair.primary).toBe(primary);
    expect(server(primary).pid).toBe(pid);
    expect(gap).toBeLessThan(2_000);
  });
});

describe('a PostgreSQL pair', () => {
  it('whose servers are both killed comes back with the same primary', async () => {
    const { primary } = pair;
    const { gap } = await under('both', () => {
      for (const { pid } of pair.members.values()) process.kill(pid, 'SIGKILL');
    });
    expect(pair.primary).toBe(primary);
    expect(gap).toBeLessThan(6_000);
  });

  it('does not start a server that is held until it is released, and goes on with the other', async () => {
    const held = pair.primary;
    expect(pair.hold(held)).toBe(true);
    expect(pair.hold('redis')).toBe(false);
    const { gap } = await under('held', async () => {
      process.kill(server(held).pid, 'SIGKILL');
      await until(() => pair.primary !== held, { what: 'the other to take over' });
      const writers = new Writers('without it');
      await until(() => writers.acknowledged.length > 500, { what: 'writes without it' });
      await writers.stop();
      expect(server(held).pid).toBe(-1);
      pair.release(held);
    });
    expect(gap).toBeLessThan(5_000);
  });

  it('that is stopped and started again with the same data begins with the same primary, and all rows', async () => {
    const { primary } = pair;
    const writers = new Writers('before');
    await until(() => writers.acknowledged.length > 200, { what: 'the first rows' });
    await writers.stop();
    await pair.stop();
    pair = await startPostgresPair({ dataDir, durable: false });
    const again = pair;
    atTheEnd(() => again.stop());
    expect(pair.primary).toBe(primary);
    url = (await pair.createDatabase('tocsin')).urlFor('incidents');
    await expectEachOnce(writers);
  });
});
