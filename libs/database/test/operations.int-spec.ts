import { newId, TocsinError } from '@tocsin/core';
import { beforeAll, expect, it } from 'vitest';
import { type Database, migrate, type Operation, Operations, Outbox } from '../src/index.ts';
import { folder, fresh, gate } from './harness.ts';

let db: Database;
let operations: Operations;
const invalidated: string[] = [];
beforeAll(async () => {
  ({ db } = await fresh());
  await migrate(db, await folder());
  await db.query('CREATE TABLE effects (id text)');
  const invalidate = async (keys: readonly string[]): Promise<void> => void invalidated.push(...keys);
  operations = new Operations(db, new Outbox(), { invalidate });
});

const operation = (operationId = newId(), requestHash = 'h'): Operation => ({ operationId, requestHash });
const target = { kind: 'monitor' } as const;
const run = (of: Operation, result: unknown = { ok: of.operationId }) =>
  operations.run(of, target, async ({ tx }) => {
    await tx.query('INSERT INTO effects VALUES ($1)', [of.operationId]);
    return result;
  });
const refuse = (of: Operation, error: Error) =>
  operations.run(of, target, async ({ tx }) => {
    await tx.query('INSERT INTO effects VALUES ($1)', [of.operationId]);
    throw error;
  });
const effectsOf = (of: Operation): Promise<unknown[]> =>
  db.query('SELECT 1 FROM effects WHERE id = $1', [of.operationId]);
const changesOf = async (of: Operation) =>
  (await operations.changes({ limit: 500 })).filter(({ operationId }) => operationId === of.operationId);

it('an operation that is repeated is carried out once and gets its result again', async () => {
  const of = operation();
  expect(await run(of, 'first')).toBe('first');
  expect(await run(of, 'second')).toBe('first');
  expect(await effectsOf(of)).toHaveLength(1);
  expect(await operations.find(of.operationId)).toEqual({ status: 'done', result: 'first', requestHash: 'h' });
  expect(await operations.find(newId())).toEqual({ status: 'unknown' });
});

it('of many runs of one operation that race, one is carried out and all get its result', async () => {
  const of = operation();
  const results = await Promise.all(Array.from({ length: 8 }, (_, i) => run(of, i)));
  expect(new Set(results).size).toBe(1);
  expect(await effectsOf(of)).toHaveLength(1);
  expect(await changesOf(of)).toHaveLength(1);
});

it('the second writer waits for the first, and takes over if that one fails', async () => {
  const of = operation();
  const hold = gate();
  const started = gate();
  const first = operations.run(of, target, async () => {
    started.open();
    await hold.wait;
    throw new Error('the first fails');
  });
  await started.wait;
  const second = run(of, 'second');
  hold.open();
  await expect(first).rejects.toThrow('the first fails');
  expect(await second).toBe('second');
  expect(await effectsOf(of)).toHaveLength(1);
});

it('another request under the identifier of an operation is refused, and its record stays', async () => {
  const of = operation();
  await run(of, 'first');
  const other = run({ ...of, requestHash: 'another' });
  await expect(other).rejects.toMatchObject({ code: 'key_reused', retry: false });
  expect(await operations.find(of.operationId)).toMatchObject({ status: 'done', requestHash: 'h' });
});

it.each(['invalid', 'unauthenticated', 'forbidden', 'not_found', 'conflict', 'stale', 'too_large'] as const)(
  'a refusal with %s changes nothing, and every repetition gets it whole: fields, details and that no retry helps',
  async (code) => {
    const of = operation();
    const refusal = { fields: [{ path: '/name', message: 'is taken' }], details: { monitors: ['a'] } };
    const expected = { code, message: 'No.', retry: false, ...refusal };
    await expect(refuse(of, new TocsinError(code, 'No.', refusal))).rejects.toMatchObject(expected);
    await expect(run(of)).rejects.toMatchObject(expected);
    expect(await effectsOf(of)).toEqual([]);
    expect(await operations.find(of.operationId)).toEqual({
      status: 'failed',
      error: { code, message: 'No.', ...refusal },
      requestHash: 'h',
    });
    expect(await changesOf(of)).toMatchObject([{ outcome: 'refused', code }]);
  },
);

it('a refusal that is said to last keeps saying so, though its code usually passes', async () => {
  const of = operation();
  const refused = refuse(of, new TocsinError('exhausted', 'The list is full.', { retry: false }));
  await expect(refused).rejects.toMatchObject({ retry: false });
  await expect(run(of)).rejects.toMatchObject({ code: 'exhausted', retry: false });
});

it.each([new TocsinError('unavailable', 'Later.'), new TocsinError('internal', 'A defect.'), new Error('A defect.')])(
  'an effect that fails with "%s" is not recorded, so that a repetition carries it out',
  async (error) => {
    const of = operation();
    await expect(refuse(of, error)).rejects.toBe(error);
    expect(await operations.find(of.operationId)).toEqual({ status: 'unknown' });
    expect(await run(of, 'done')).toBe('done');
  },
);

it('the record of changes says what was created and what the effect noted', async () => {
  const of = { ...operation(), tokenId: newId(), actor: 'ada', route: 'POST /v1/monitors' };
  const id = newId();
  await operations.run(of, target, async ({ note }) => note({ id, revision: 1, fields: ['/name'] }));
  expect(await changesOf(of)).toMatchObject([
    { kind: 'monitor', resourceId: id, revision: 1, fields: ['/name'], outcome: 'done', token: { name: 'ada' } },
  ]);
});

it('cached keys that an effect touched are invalidated before the client is answered, after a refusal too', async () => {
  const touch = (key: string, error?: Error) =>
    operations.run(operation(), target, async ({ forget }) => {
      forget(key);
      if (error) throw error;
    });
  await touch('a');
  await expect(touch('b', new TocsinError('stale', 'Read it again.'))).rejects.toThrow('again');
  expect(invalidated).toEqual(['a', 'b']);
});

it('a result that the version before recorded alone is read as the result', async () => {
  const of = operation();
  await db.query(`INSERT INTO operations (key, request_hash, result) VALUES ($1, 'h', '{"notificationId": "n"}')`, [
    of.operationId,
  ]);
  expect(await run(of)).toEqual({ notificationId: 'n' });
  expect(await operations.find(of.operationId)).toMatchObject({ status: 'done', result: { notificationId: 'n' } });
});

it('operations older than two days are forgotten in bounded steps', async () => {
  await db.query(`INSERT INTO operations (key, request_hash, created_at)
    SELECT 'old ' || i, 'h', now() - interval '49 hours' FROM generate_series(1, 25) AS i`);
  const kept = operation();
  await run(kept);
  const old = (): Promise<unknown[]> => db.query(`SELECT 1 FROM operations WHERE key LIKE 'old %'`);
  await operations.purge(20);
  expect(await old()).toHaveLength(5);
  await operations.purge(20);
  expect(await old()).toEqual([]);
  expect(await operations.find(kept.operationId)).toMatchObject({ status: 'done' });
});
