import { withDeadline } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/index.ts';
import { fresh, open } from './harness.ts';

const SLEEP = `SELECT pg_sleep(20), 'a read that takes too long'`;
let db: Database;
let onlooker: Database;

beforeAll(async () => {
  const { db: one, url } = await fresh({ poolSize: 1 });
  db = one;
  onlooker = open(url);
});

const running = async (): Promise<number> =>
  (await onlooker.query(`SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = $1`, [SLEEP])).length;

describe('a read', () => {
  it('ends with the deadline of the work that asks, here and on the server', async () => {
    await db.query('SELECT 1');
    const startedAt = performance.now();
    const read = withDeadline(Date.now() + 200, () => db.read.query(SLEEP));
    await expect(read).rejects.toMatchObject({ code: 'deadline', retry: true });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await until(async () => (await running()) === 0, { what: 'the server to give up', timeoutMs: 3_000 });
  });

  it('of work that has expired is not asked', async () => {
    const read = withDeadline(Date.now() - 1, () => db.read.query('SELECT 1'));
    await expect(read).rejects.toMatchObject({ code: 'deadline' });
  });

  it('leaves no limit behind for others on its connection', async () => {
    const limit = async (): Promise<unknown> => (await db.query('SHOW statement_timeout'))[0];
    const usual = await limit();
    const soon = withDeadline(Date.now() + 400, () =>
      db.read.query<{ statement_timeout: string }>('SHOW statement_timeout'),
    );
    expect(await soon).not.toEqual([usual]);
    expect(await limit()).toEqual(usual);
    await withDeadline(Date.now() + 400, () => db.read.query('SELECT 1'));
    expect(await db.transaction(async (tx) => (await tx.query('SHOW statement_timeout'))[0])).toEqual(usual);
  });

  it('has the usual time where nobody said how long', async () => {
    expect(await db.read.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
