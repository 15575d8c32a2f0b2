import { once } from 'node:events';
import { withDeadline } from '@tocsin/core';
import { postgresPair, until } from '@tocsin/testing';
import { type RunningPostgres, freePort } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database, DatabaseOptions } from '../src/index.ts';
import { open } from './harness.ts';

const SETTINGS = { schema: 'public', connectTimeoutMs: 1_000, statementTimeoutMs: 1_000, poolSize: 3 };

let first: RunningPostgres;
let standbyPort: number;
let second: RunningPostgres;

const url = (...ports: number[]): string =>
  first.superuserUrl.replace(/127\.0\.0\.1:\d+/, ports.map((port) => `127.0.0.1:${port}`).join(','));
const connect = (ports: number[], options: Partial<DatabaseOptions> = {}): Database =>
  open(url(...ports), { ...SETTINGS, ...options });
const portOf = async (db: Pick<Database, 'query'>): Promise<unknown> =>
  (await db.query(`SELECT current_setting('port')::int AS port`))[0]?.['port'];

/** A statement that gets no answer, for the process that serves its connection is frozen. */
async function hangOn(db: Database): Promise<{ pid: number; outcome: Promise<unknown> }> {
  const { pid } = (await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]!;
  process.kill(pid, 'SIGSTOP');
  return { pid, outcome: db.query('SELECT 1').catch((error: unknown) => error) };
}

/** Kills the server, and not the backend that hangs. */
async function killFirstProcess(): Promise<void> {
  const ended = once(first.process!, 'exit');
  first.process?.kill('SIGKILL');
  await ended;
}

/** After a kill its children hold the data for a moment, and a start is refused. */
const startAgain = (): Promise<unknown> => until(async () => (await first.start(), true), { everyMs: 100 });

beforeAll(async () => {
  ({ primary: first, standby: second } = await postgresPair());
  standbyPort = second.port;
  const db = connect([first.port]);
  await db.query('CREATE TABLE writes (id int)');
  await db.close();
});

describe('several hosts', () => {
  it('the one that takes writes is found, wherever it stands in the list', async () => {
    for (const ports of [
      [first.port, standbyPort],
      [standbyPort, first.port],
    ]) {
      const db = connect(ports);
      expect(await portOf(db)).toBe(first.port);
      expect(await db.ping()).toMatchObject({ role: 'primary' });
    }
  });

  it('nobody who takes writes means unavailable, in bounded time', async () => {
    for (const ports of [[standbyPort], [standbyPort, await freePort()]]) {
      const startedAt = performance.now();
      await expect(connect(ports).query('SELECT 1')).rejects.toMatchObject({
        code: 'unavailable',
        retry: true,
        message: expect.stringContaining('read-only'),
      });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    }
  });

  it('reads that may be behind go to the replica, and to the primary when it is unreachable', async () => {
    const db = connect([first.port], { replicaUrl: url(standbyPort) });
    expect(await portOf(db.read)).toBe(standbyPort);
    expect(await portOf(connect([first.port], { replicaUrl: url(await freePort()) }).read)).toBe(first.port);
  });

  it('a connection that became read-only is dropped, and the primary looked for again', async () => {
    const db = connect([first.port], { poolSize: 1 });
    await db.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY');
    await expect(db.query('INSERT INTO writes VALUES (0)')).rejects.toMatchObject({ code: 'unavailable', retry: true });
    await db.query('INSERT INTO writes VALUES (0)');
  });

  it('the primary is followed to the standby that was promoted, by transactions too, and by what waits for the old one', async () => {
    const db = connect([first.port, standbyPort]);
    const standby = connect([first.port], { replicaUrl: url(standbyPort) });
    await db.query('INSERT INTO writes VALUES (1)');
    await until(async () => (await standby.read.query('SELECT 1 FROM writes WHERE id = 1')).length === 1);
    const waiting = await hangOn(connect([first.port, standbyPort], { statementTimeoutMs: 30_000, poolSize: 1 }));
    await killFirstProcess();
    const refused = await until(() =>
      db.query('SELECT 1').then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refused).toMatchObject({ code: 'unavailable', retry: true });
    await standby.read.query('SELECT pg_promote(false)');
    await until(() => db.transaction((tx) => tx.query('INSERT INTO writes VALUES (2) RETURNING id')));
    expect(await portOf(db)).toBe(standbyPort);
    // Of a host that is cut off not even the end is heard; its statement ends long before its time limit all the same.
    const before = performance.now();
    expect(await waiting.outcome).toMatchObject({ code: 'unavailable', retry: true });
    expect(performance.now() - before).toBeLessThan(5_000);
    process.kill(waiting.pid, 'SIGKILL');
  });

  it('an old primary that comes back is not taken for the present one', async () => {
    await startAgain();
    for (const ports of [
      [first.port, standbyPort],
      [standbyPort, first.port],
    ]) {
      expect(await portOf(connect(ports))).toBe(standbyPort);
    }
  });

  it('a process that stood still looks for the primary again: it may have slept through a failover', async () => {
    await second.kill('SIGSTOP');
    const db = connect([first.port, standbyPort]);
    try {
      expect(await portOf(db)).toBe(first.port);
    } finally {
      await second.kill('SIGCONT');
    }
    expect(await portOf(db)).toBe(first.port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    expect(await portOf(db)).toBe(standbyPort);
  });

  it('a frozen host does not keep the others from being found', async () => {
    await first.kill('SIGSTOP');
    try {
      const startedAt = performance.now();
      expect(await portOf(connect([first.port, standbyPort]))).toBe(standbyPort);
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    } finally {
      await first.kill('SIGCONT');
    }
  });
});

describe('a replica that is the only one', () => {
  const read = (db: Database): Promise<unknown> => withDeadline(Date.now() + 500, () => portOf(db.read));
  /** How many of five reads at once get no answer in their time. */
  const failures = async (db: Database): Promise<number> => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(() => read(db)));
    return outcomes.filter(({ status }) => status === 'rejected').length;
  };

  it('frozen: reads are answered by the primary in time, but for one in 5 s that tries it, until it is back', async () => {
    const db = connect([standbyPort], { replicaUrl: url(first.port) });
    expect(await portOf(db.read)).toBe(first.port);
    await first.kill('SIGSTOP');
    try {
      // The first ones have to find out, each in the whole time of its statement.
      await until(() => read(db).catch(() => false), { what: 'the primary to be asked', timeoutMs: 6_000 });
      const startedAt = performance.now();
      expect(await until(() => failures(db), { what: 'one to try the replica', timeoutMs: 8_000 })).toBe(1);
      expect(performance.now() - startedAt).toBeGreaterThan(4_000);
    } finally {
      await first.kill('SIGCONT');
    }
    await until(async () => (await portOf(db.read)) === first.port, { what: 'the replica', timeoutMs: 12_000 });
    expect(await failures(db)).toBe(0);
  }, 40_000);

  it('frozen: what nobody waits for any more is not asked of the primary either', async () => {
    const db = connect([standbyPort], { replicaUrl: url(first.port), poolSize: 1 });
    await db.query('CREATE SEQUENCE late');
    expect(await portOf(db.read)).toBe(first.port);
    await first.kill('SIGSTOP');
    try {
      const late = withDeadline(Date.now() + 300, () => db.read.query(`SELECT nextval('late')`));
      await expect(late).rejects.toMatchObject({ code: 'deadline' });
      await until(() => read(db).catch(() => false), { what: 'the primary to be asked', timeoutMs: 6_000 });
      expect(await db.query('SELECT is_called FROM late')).toEqual([{ is_called: false }]);
    } finally {
      await first.kill('SIGCONT');
    }
  });

  it('busy: a read that gets no connection to it in time is answered by the primary, and the next one by it', async () => {
    const db = connect([standbyPort], { replicaUrl: url(first.port), poolSize: 1, connectTimeoutMs: 200 });
    expect(await portOf(db.read)).toBe(first.port);
    const busy = db.read.query('SELECT pg_sleep(0.8)');
    expect(await portOf(db.read)).toBe(standbyPort);
    await busy;
    expect(await portOf(db.read)).toBe(first.port);
  });
});

describe('one server that goes away', () => {
  it.each(['stopped', 'killed'])('%s: queries fail with unavailable at once, and work when it is back', async (how) => {
    const db = connect([first.port]);
    await db.query('SELECT 1');
    await (how === 'stopped' ? first.stop() : first.kill('SIGKILL'));
    // The process behind a connection outlives a killed server for a moment, and may still answer.
    await until(() =>
      db.query('SELECT 1').then(
        () => false,
        () => true,
      ),
    );
    for (let i = 0; i < 3; i += 1) {
      const startedAt = performance.now();
      await expect(db.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable', retry: true });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
    await startAgain();
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('frozen: who waits for a connection fails in bounded time, and later ones work when it is back', async () => {
    const db = connect([first.port], { poolSize: 1 });
    await db.query('SELECT 1');
    const { pid } = (await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]!;
    // The one process that serves this connection: the server itself could still be asked for others.
    process.kill(pid, 'SIGSTOP');
    try {
      const outcomes = [1, 2, 3].map(() => db.query('SELECT 1').catch((error: unknown) => error));
      expect(await outcomes[0]).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no answer') });
      await Promise.all(outcomes);
      expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
