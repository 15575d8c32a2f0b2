import { beforeAll, expect, it } from 'vitest';
import { type Database, lookupOperation, migrate, once, purgeOperations } from '../src/index.ts';
import { folder, fresh, gate } from './harness.ts';

let db: Database;
beforeAll(async () => {
  ({ db } = await fresh());
  await migrate(db, await folder());
  await db.query('CREATE TABLE effects (id text)');
});

const operation = (key: string, requestHash = 'h'): { key: string; requestHash: string } => ({ key, requestHash });
const effect = (key: string, result: unknown = { ok: key }) =>
  db.transaction((tx) =>
    once(tx, operation(key), async () => {
      await tx.query('INSERT INTO effects VALUES ($1)', [key]);
      return result;
    }),
  );
const effects = (key: string): Promise<unknown[]> => db.query('SELECT 1 FROM effects WHERE id = $1', [key]);

it('carries an operation out once and repeats its result', async () => {
  expect(await effect('a')).toEqual({ result: { ok: 'a' }, replayed: false });
  expect(await effect('a', 'other')).toEqual({ result: { ok: 'a' }, replayed: true });
  expect(await effects('a')).toHaveLength(1);
  expect(await lookupOperation(db, 'a')).toEqual({ result: { ok: 'a' }, requestHash: operation('a').requestHash });
  expect(await lookupOperation(db, 'nobody')).toBeUndefined();
});

it('of many that race one is carried out, and all get its result', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => effect('race', i)));
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(new Set(answers.map(({ result }) => result)).size).toBe(1);
  expect(await effects('race')).toHaveLength(1);
});

it('the second writer waits for the first, and takes over if that one fails', async () => {
  const hold = gate();
  const started = gate();
  const first = db.transaction((tx) =>
    once(tx, operation('over'), async () => {
      started.open();
      await hold.wait;
      throw new Error('the first fails');
    }),
  );
  await started.wait;
  const second = effect('over');
  hold.open();
  await expect(first).rejects.toThrow('the first fails');
  expect(await second).toMatchObject({ replayed: false });
  expect(await effects('over')).toHaveLength(1);
});

it('refuses the key with another request', async () => {
  await effect('reused');
  const other = db.transaction((tx) => once(tx, operation('reused', 'another'), async () => 1));
  await expect(other).rejects.toMatchObject({ code: 'key_reused', retry: false });
});

it('refuses to run without a transaction', async () => {
  await expect(once(db, operation('none'), async () => 1)).rejects.toMatchObject({ code: 'internal' });
});

it('forgets what is old, in bounded steps', async () => {
  await db.query(`INSERT INTO operations (key, request_hash, created_at)
    SELECT 'old ' || i, 'h', now() - interval '2 days' FROM generate_series(1, 25) AS i`);
  expect(await purgeOperations(db, 86_400_000, 20)).toBe(20);
  expect(await purgeOperations(db, 86_400_000, 20)).toBe(5);
  expect(await lookupOperation(db, 'a')).toBeDefined();
});
