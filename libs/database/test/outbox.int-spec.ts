import { context, trace, TraceFlags, propagation } from '@opentelemetry/api';
import { type Clock, systemClock } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { type Database, migrate, Outbox } from '../src/index.ts';
import { folder, fresh } from './harness.ts';

let db: Database;
const message = { subject: 'events.x', payload: { n: 1 } };

beforeAll(async () => {
  ({ db } = await fresh());
  await migrate(db, await folder());
});

beforeEach(() => db.query('TRUNCATE outbox'));

const rows = (): Promise<unknown[]> => db.query('SELECT id FROM outbox');

it('hands rows on only after their commit, and says so', async () => {
  const outbox = new Outbox();
  const source = outbox.source(db);
  let nudges = 0;
  outbox.onCommit(() => (nudges += 1));
  await db.transaction(async (tx) => {
    await outbox.addMany(tx, [
      { ...message, id: 'm1', headers: { a: 'b' } },
      { subject: 's', payload: [1, 'é'] },
    ]);
    expect(await source.take(10)).toEqual([]);
    expect(nudges).toBe(0);
  });
  expect(nudges).toBe(1);
  expect(await source.take(10)).toEqual([
    { id: 'm1', subject: 'events.x', payload: { n: 1 }, headers: { a: 'b' } },
    { id: expect.any(String), subject: 's', payload: [1, 'é'], headers: {} },
  ]);
});

it('hands nothing on from a transaction that was rolled back or run again', async () => {
  const outbox = new Outbox({ leaseMs: 1 });
  const source = outbox.source(db);
  const failing = db.transaction(async (tx) => {
    await outbox.add(tx, message);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  let attempts = 0;
  await db.transaction(async (tx) => {
    attempts += 1;
    await outbox.add(tx, { ...message, id: `attempt ${attempts}` });
    if (attempts === 1) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$`);
  });
  const taken: string[] = [];
  await until(async () => (taken.push(...(await source.take(10)).map((row) => row.id)), taken.length > 0));
  expect(taken).toEqual(['attempt 2']);
});

it('a row whose lease runs out while it is taken from memory is handed out once', async () => {
  const stopped: Clock = { now: () => systemClock.now(), monotonic: () => 0 };
  const outbox = new Outbox({ leaseMs: 1, clock: stopped });
  await db.transaction((tx) => outbox.add(tx, { ...message, id: 'm1' }));
  await until(async () => (await db.query('SELECT 1 FROM outbox WHERE lease_until > clock_timestamp()')).length === 0);
  expect((await outbox.source(db).take(10)).map((row) => row.id)).toEqual(['m1']);
});

it('forgets what is done', async () => {
  const outbox = new Outbox();
  const source = outbox.source(db);
  await db.transaction((tx) => outbox.addMany(tx, [message, message]));
  const taken = await source.take(10);
  await source.done(taken.map((row) => row.id));
  expect(await rows()).toEqual([]);
});

it('adds the same id once', async () => {
  const outbox = new Outbox();
  for (const _ of [1, 2]) await db.transaction((tx) => outbox.add(tx, { ...message, id: 'same' }));
  expect(await outbox.source(db).take(10)).toHaveLength(1);
});

it('leaves a row to the instance that added it, until its lease is over', async () => {
  const [mine, other] = [new Outbox({ leaseMs: 1_000 }), new Outbox({ leaseMs: 1_000 })];
  const others = other.source(db);
  await db.transaction((tx) => mine.add(tx, { ...message, id: 'left' }));
  expect(await others.take(10)).toEqual([]);
  // The first instance is killed here: it never takes the row.
  const taken = await until(async () => {
    const found = await others.take(10);
    return found.length > 0 && found;
  });
  expect(taken.map((row) => row.id)).toEqual(['left']);
  // And it would not publish it any more, had it only been frozen.
  expect(await mine.source(db).take(10)).toEqual([]);
});

it('gives each left-behind row to one of the relays that look for it at once', async () => {
  const dead = new Outbox({ leaseMs: 1 });
  await db.transaction((tx) =>
    dead.addMany(
      tx,
      Array.from({ length: 200 }, () => message),
    ),
  );
  await until(async () => (await db.query('SELECT 1 FROM outbox WHERE lease_until > clock_timestamp()')).length === 0);
  const relays = Array.from({ length: 4 }, () => new Outbox({ leaseMs: 10_000 }).source(db));
  const taken: string[] = [];
  await Promise.all(
    relays.map(async (relay) => {
      for (let found = await relay.take(20); found.length > 0; found = await relay.take(20)) {
        taken.push(...found.map((row) => row.id));
      }
    }),
  );
  expect(taken).toHaveLength(200);
  expect(new Set(taken).size).toBe(200);
});

it('holds a bounded number in memory and finds the rest in the table', async () => {
  const outbox = new Outbox({ maxHeld: 5, leaseMs: 50 });
  const source = outbox.source(db);
  await db.transaction((tx) =>
    outbox.addMany(
      tx,
      Array.from({ length: 12 }, () => message),
    ),
  );
  const taken = new Set<string>();
  await until(async () => {
    const found = await source.take(100);
    for (const row of found) taken.add(row.id);
    await source.done(found.map((row) => row.id));
    return (await rows()).length === 0;
  });
  expect(taken.size).toBe(12);
});

it('asks the table for left-behind rows at most twice a second', async () => {
  let now = 0;
  const clock: Clock = { now: () => systemClock.now(), monotonic: () => now };
  let asked = 0;
  const counting = {
    query: async <R>(): Promise<R[]> => {
      asked += 1;
      return [];
    },
  };
  const source = new Outbox({ clock }).source(counting);
  for (now = 0; now < 2_000; now += 10) await source.take(10);
  expect(asked).toBe(4);
});

it('carries the trace context of who added it', async () => {
  propagation.setGlobalPropagator({
    inject: (ctx, carrier) => Object.assign(carrier as object, { traceparent: trace.getSpanContext(ctx)?.traceId }),
    extract: (ctx) => ctx,
    fields: () => ['traceparent'],
  });
  const outbox = new Outbox();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const span = trace.wrapSpanContext({ traceId, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED });
  const ctx = trace.setSpan(context.active(), span);
  context.setGlobalContextManager({
    active: () => ctx,
    with: (_c, fn, self, ...args) => fn.apply(self as never, args),
    bind: (_c, target) => target,
    enable: () => context['_getContextManager' as never],
    disable: () => context['_getContextManager' as never],
  });
  await db.transaction((tx) => outbox.add(tx, message));
  context.disable();
  propagation.disable();
  expect((await outbox.source(db).take(1))[0]?.headers).toEqual({ traceparent: traceId });
});
