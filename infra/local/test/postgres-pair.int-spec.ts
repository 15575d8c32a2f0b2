import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Database } from '@tocsin/database';
import { type PostgresName, type PostgresPair, startPostgresPair, temporaryDir } from '@tocsin/local';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { processesIn } from '../src/process-folder.ts';

const WRITERS = 8;
const dataDir = temporaryDir('pair');

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
async function under(run: string, fault: () => Promise<void> | void): Promise<{ gap: number; wholeMs: number }> {
  const writers = new Writers(run);
  await until(() => writers.acknowledged.length > 200, { what: 'the first rows' });
  const start = performance.now();
  await fault();
  await until(() => !pair.inSync, { what: 'the loss to be noticed' });
  await until(() => pair.inSync, { what: 'the standby to be in sync again', timeoutMs: 30_000 });
  const wholeMs = performance.now() - start;
  const seen = writers.acknowledged.length;
  await until(() => writers.acknowledged.length > seen + 100, { what: 'rows with both servers' });
  const gap = writers.gapSince(start);
  await writers.stop();
  await expectEachOnce(writers);
  console.log(`${run}: no write for ${Math.round(gap)} ms, whole after ${Math.round(wholeMs)} ms`);
  return { gap, wholeMs };
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
  pair = await startPostgresPair({ dataDir, durable: false });
  atTheEnd(() => pair.stop());
  url = (await pair.createDatabase('tocsin')).urlFor('incidents');
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
});
