import { newId } from '@tocsin/core';
import { beforeAll, expect, it } from 'vitest';
import { type Database, migrate } from '../src/index.ts';
import { listChanges, purgeChanges, recordChange } from '../src/operations/changes.ts';
import { folder, fresh } from './harness.ts';

let db: Database;
beforeAll(async () => {
  ({ db } = await fresh());
  await migrate(db, await folder());
});

const DAY_MS = 86_400_000;
const [monitor, channel, token] = [newId(), newId(), newId()];
const by = { operationId: 'an-operation', tokenId: token, actor: 'ada', route: 'PATCH /v1/monitors/{id}' };

it('tells who changed what, newest first, of all and of those that are asked for', async () => {
  const at = Date.now();
  const of = { at: at - 3, kind: 'monitor', resourceId: monitor } as const;
  await recordChange(db, by, { ...of, revision: 2, fields: ['/name'] });
  await recordChange(db, { ...by, tokenId: newId() }, { ...of, at: at - 2, code: 'stale' });
  await recordChange(db, {}, { at: at - 1, kind: 'channel', resourceId: channel, revision: 1 });
  const all = await listChanges(db, { limit: 10 });
  expect(all).toEqual([
    {
      id: expect.any(String) as string,
      at: at - 1,
      kind: 'channel',
      resourceId: channel,
      revision: 1,
      outcome: 'done',
    },
    expect.objectContaining({ at: at - 2, outcome: 'refused', code: 'stale' }),
    {
      id: expect.any(String) as string,
      at: at - 3,
      operationId: 'an-operation',
      token: { id: token, name: 'ada' },
      route: 'PATCH /v1/monitors/{id}',
      kind: 'monitor',
      resourceId: monitor,
      revision: 2,
      fields: ['/name'],
      outcome: 'done',
    },
  ]);
  const [newest, middle, oldest] = all;
  const listed = async (query: object) => (await listChanges(db, { limit: 10, ...query })).map(({ id }) => id);
  expect(await listed({ kind: 'monitor', resourceId: monitor })).toEqual([middle!.id, oldest!.id]);
  expect(await listed({ tokenId: token })).toEqual([oldest!.id]);
  expect(await listed({ from: at - 2, to: at - 1 })).toEqual([middle!.id]);
  expect(await listed({ before: newest!.id, limit: 1 })).toEqual([middle!.id]);
});

it('names at most 50 fields', async () => {
  const fields = Array.from({ length: 60 }, (_, n) => `/settings/x-${n}`);
  await recordChange(db, by, { at: Date.now(), kind: 'monitor', fields });
  expect((await listChanges(db, { limit: 1 }))[0]?.fields).toHaveLength(50);
});

it('names fields of at most 800 characters together', async () => {
  const fields = Array.from({ length: 9 }, (_, n) => `/settings/headers/${n}${'~1'.repeat(41)}`);
  await recordChange(db, by, { at: Date.now(), kind: 'monitor', fields });
  expect((await listChanges(db, { limit: 1 }))[0]?.fields).toEqual(fields.slice(0, 7));
});

it('forgets what is older than 400 days, a batch at a time', async () => {
  const old = [402, 401].map((days) => Date.now() - days * DAY_MS);
  for (const at of [...old, Date.now() - 399 * DAY_MS]) await recordChange(db, by, { at, kind: 'token' });
  expect([await purgeChanges(db, 1), await purgeChanges(db, 1), await purgeChanges(db, 1)]).toEqual([1, 1, 0]);
  const left = await listChanges(db, { kind: 'token', limit: 10 });
  expect(left).toHaveLength(1);
});
