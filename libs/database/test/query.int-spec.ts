import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/index.ts';
import { fresh, gate, open } from './harness.ts';

let db: Database;
let url: string;

beforeAll(async () => {
  ({ db, url } = await fresh({ statementTimeoutMs: 400, poolSize: 4 }));
  await db.query('CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL, n bigint, data jsonb)');
});

describe('values', () => {
  it('bigint and numeric are numbers, a day is text, json is parsed', async () => {
    const rows = await db.query(
      `SELECT 5000000000::bigint AS a, 1.5::numeric AS b, date '2026-01-02' AS c, '[1]'::json AS d`,
    );
    expect(rows).toEqual([{ a: 5_000_000_000, b: 1.5, c: '2026-01-02', d: [1] }]);
  });

  it('a bigint that no number can hold is refused, and the connection stays usable', async () => {
    await expect(db.query('SELECT 9007199254740993::bigint')).rejects.toMatchObject({ code: 'internal' });
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each([
    ['a NUL character', 'a\0b'],
    ['half of a surrogate pair', 'a\ud800b'],
  ])('%s in a value is refused, alone and in an array', async (_what, bad) => {
    for (const param of [bad, ['fine', bad]]) {
      await expect(db.query('SELECT $1', [param], { name: 'try' })).rejects.toMatchObject({
        code: 'invalid',
        retry: false,
        details: { parameter: 1 },
      });
    }
  });

  it.each(['{"a":"\\u0000"}', '{"a":"\\ud800"}', 'not json'])(
    'JSON that cannot be stored is refused: %s',
    async (json) => {
      await expect(db.query('INSERT INTO things VALUES (9, $1, 1, $2)', ['x', json])).rejects.toMatchObject({
        code: 'invalid',
      });
    },
  );

  it('invalid UTF-8 bytes are refused', async () => {
    await expect(db.query(`SELECT convert_from($1, 'UTF8')`, [Buffer.from([0xff, 0xfe])])).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('SQL with a NUL byte is refused before it breaks the protocol', async () => {
    await expect(db.query('SELECT 1\0')).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('refusals', () => {
  it('name the constraint, and say that a retry is no use', async () => {
    await db.query('INSERT INTO things VALUES (1, $1)', ['a']);
    await expect(db.query('INSERT INTO things VALUES (1, $1)', ['b'], { name: 'again' })).rejects.toMatchObject({
      code: 'conflict',
      retry: false,
      details: { sqlState: '23505', constraint: 'things_pkey', statement: 'again' },
    });
  });

  it.each([
    ['SELECT 1/0', 'invalid'],
    ['INSERT INTO things VALUES (2, NULL)', 'invalid'],
    ['SELECT * FROM nowhere', 'internal'],
    ['SELEC 1', 'internal'],
  ])('%s is %s', async (sql, code) => {
    await expect(db.query(sql)).rejects.toMatchObject({ code, retry: false });
  });

  it('never show the password', async () => {
    const wrong = open(url.replace(/:monitors@/, ':hunter2hunter2@'));
    const error = await wrong.query('SELECT 1').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('user or password') });
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('bounds', () => {
  it('a statement that takes too long ends with deadline, and its connection is used again', async () => {
    await expect(db.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: 'deadline', retry: true });
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('no more connections are opened than allowed; who waits too long is refused', async () => {
    const small = open(url, { poolSize: 2, connectTimeoutMs: 600, applicationName: 'small' });
    const hold = gate();
    const busy = [1, 2].map(() => small.transaction(async (tx) => (await tx.query('SELECT 1'), hold.wait)));
    const others = [1, 2, 3].map(() => small.query('SELECT 1').catch((e: unknown) => e));
    for (const error of await Promise.all(others)) expect(error).toMatchObject({ code: 'exhausted', retry: true });
    const [count] = await db.query(`SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'small'`);
    expect(count).toEqual({ n: 2 });
    const waiting = small.query('SELECT 1 AS one');
    hold.open();
    await Promise.all(busy);
    expect(await waiting).toEqual([{ one: 1 }]);
  });

  it('a named statement is prepared once and still runs after its table changed', async () => {
    await db.query('CREATE TABLE shape (a int)');
    await db.query('INSERT INTO shape VALUES (1)');
    const single = open(url, { poolSize: 1 });
    const read = () => single.transaction((tx) => tx.query('SELECT * FROM shape', [], { name: 'shape' }));
    expect(await read()).toEqual([{ a: 1 }]);
    await db.query('ALTER TABLE shape ADD b int');
    expect(await read()).toEqual([{ a: 1, b: null }]);
    await db.query('ALTER TABLE shape ADD c int');
    expect(await single.query('SELECT * FROM shape', [], { name: 'shape' })).toEqual([{ a: 1, b: null, c: null }]);
  });
});

describe('transactions', () => {
  it('commit as a whole, and call afterCommit then', async () => {
    const calls: string[] = [];
    const value = await db.transaction(async (tx) => {
      await tx.query('INSERT INTO things VALUES (10, $1)', ['in']);
      tx.afterCommit(() => calls.push('committed'));
      expect(await db.query('SELECT 1 FROM things WHERE id = 10')).toEqual([]);
      return 'value';
    });
    expect(value).toBe('value');
    expect(calls).toEqual(['committed']);
    expect(await db.query('SELECT 1 FROM things WHERE id = 10')).toHaveLength(1);
  });

  it('roll back when their function throws, with its own error and without afterCommit', async () => {
    const mine = new Error('mine');
    const failing = db.transaction(async (tx) => {
      await tx.query('INSERT INTO things VALUES (11, $1)', ['in']);
      tx.afterCommit(() => expect.unreachable());
      throw mine;
    });
    await expect(failing).rejects.toBe(mine);
    expect(await db.query('SELECT 1 FROM things WHERE id = 11')).toEqual([]);
  });

  it('fail when a refused statement was swallowed, instead of pretending to have committed', async () => {
    const swallowing = db.transaction(async (tx) => {
      await tx.query('INSERT INTO things VALUES (12, NULL)').catch(() => undefined);
      return 'fine';
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'invalid' });
  });

  it('run again after a serialization failure', async () => {
    await db.query('INSERT INTO things VALUES (20, $1, 0)', ['counter']);
    let attempts = 0;
    const add = () =>
      db.transaction(async (tx) => {
        attempts += 1;
        await tx.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        const [row] = await tx.query<{ n: number }>('SELECT n FROM things WHERE id = 20');
        if (attempts === 1) await db.query('UPDATE things SET n = n + 100 WHERE id = 20');
        await tx.query('UPDATE things SET n = $1 WHERE id = 20', [(row?.n ?? 0) + 1]);
      });
    await add();
    expect(attempts).toBe(2);
    expect(await db.query('SELECT n FROM things WHERE id = 20')).toEqual([{ n: 101 }]);
  });

  it('run again after a deadlock', async () => {
    const slow = open(url, { statementTimeoutMs: 10_000 });
    await db.query(`INSERT INTO things VALUES (31, 'a', 0), (32, 'b', 0)`);
    const first = [gate(), gate()] as const;
    let attempts = 0;
    const cross = (mine: number, other: number, me: 0 | 1) =>
      slow.transaction(async (tx) => {
        attempts += 1;
        await tx.query('UPDATE things SET n = n + 1 WHERE id = $1', [mine]);
        first[me].open();
        await first[me === 0 ? 1 : 0].wait;
        await tx.query('UPDATE things SET n = n + 1 WHERE id = $1', [other]);
      });
    await Promise.all([cross(31, 32, 0), cross(32, 31, 1)]);
    expect(attempts).toBe(3);
    expect(await db.query('SELECT n FROM things WHERE id IN (31, 32)')).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it('that a frozen process left open hold no lock for longer than the others can wait', async () => {
    await db.query('CREATE TABLE frozen (n int)');
    await db.query('INSERT INTO frozen VALUES (0)');
    const { wait, open: thaw } = gate();
    const locked = gate();
    const holding = db.transaction(async (tx) => {
      await tx.query('SELECT n FROM frozen FOR UPDATE');
      locked.open();
      await wait;
    });
    await locked.wait;
    const before = performance.now();
    await open(url).query('UPDATE frozen SET n = n + 1');
    expect(performance.now() - before).toBeLessThan(2_500);
    thaw();
    await expect(holding).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  it('give up after a bounded number of attempts, and say that a retry may help', async () => {
    let attempts = 0;
    const losing = db.transaction(
      async (tx) => {
        attempts += 1;
        await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`);
      },
      { attempts: 3 },
    );
    await expect(losing).rejects.toMatchObject({ code: 'unavailable', retry: true, details: { sqlState: '40001' } });
    expect(attempts).toBe(3);
  });

  it('run again when the connection is lost before COMMIT', async () => {
    let attempts = 0;
    await db.transaction(async (tx) => {
      attempts += 1;
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await tx.query('INSERT INTO things VALUES (40, $1)', ['once']);
      if (attempts === 1) await db.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await tx.query('SELECT 1');
    });
    expect(attempts).toBe(2);
    expect(await db.query('SELECT 1 FROM things WHERE id = 40')).toHaveLength(1);
  });

  it('say that the outcome is unknown when the connection is lost during COMMIT, and do not run again', async () => {
    await db.query(`CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$`);
    await db.query('CREATE TABLE slow (id int)');
    await db.query(`CREATE CONSTRAINT TRIGGER t AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION slow_commit()`);
    let attempts = 0;
    const lost = db.transaction(async (tx) => {
      attempts += 1;
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await tx.query('INSERT INTO slow VALUES (1)');
      void until(async () => {
        const [{ query } = { query: '' }] = await db.query<{ query: string }>(
          'SELECT query FROM pg_stat_activity WHERE pid = $1',
          [row?.pid],
        );
        return query === 'COMMIT' && db.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      });
    });
    await expect(lost).rejects.toMatchObject({ code: 'unavailable', retry: true, details: { unknown: true } });
    expect(attempts).toBe(1);
  });

  it('are bounded in time as a whole', async () => {
    const never = db.transaction(() => new Promise(() => undefined), { timeoutMs: 100 });
    const outcome = await Promise.race([
      never.catch((e: unknown) => e),
      new Promise((resolve) => setTimeout(() => resolve('still there'), 1_500)),
    ]);
    expect(outcome).toMatchObject({ code: 'deadline' });
  });

  it('cannot be used after their end', async () => {
    const leaked = await db.transaction(async (tx) => ({ tx }));
    await expect(leaked.tx.query('SELECT 1')).rejects.toMatchObject({ code: 'internal' });
  });
});

it('what is urgent comes before all who wait for a connection', async () => {
  const narrow = open(url, { poolSize: 1, statementTimeoutMs: 2_000 });
  const order: string[] = [];
  const ask = (who: string, o: object = {}): Promise<unknown> =>
    narrow.query('SELECT pg_sleep(0.05)', [], o).then(() => order.push(who));
  await Promise.all([ask('first'), ask('second'), ask('third'), ask('urgent', { urgent: true })]);
  expect(order).toEqual(['first', 'urgent', 'second', 'third']);
});
