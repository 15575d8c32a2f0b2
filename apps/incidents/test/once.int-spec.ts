import type { Monitor } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Database, type Transaction, type TransactionOptions } from '@tocsin/database';
import { aMonitor, aMonitorOf, aResult, atTheEnd } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { folded, missedWindows, transitions } from '../src/incidents.metrics.ts';
import { bench, Instance, TestClock } from './bench.ts';

const MINUTE = 60_000;

/** A database each of whose transactions has to be run again, after all that it does. */
class ShakenDatabase extends Database {
  override transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    let runs = 0;
    return super.transaction(async (tx) => {
      const value = await fn(tx);
      runs += 1;
      if (runs === 1) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'shaken' USING ERRCODE = '40001'; END $$`);
      return value;
    }, options);
  }
}

describe('what a transaction that is run again does', () => {
  const clock = new TestClock();
  let one: Instance;
  let shaken: Instance;

  beforeAll(async () => {
    const { instance, server } = await bench(clock);
    one = instance();
    const url = server.urlFor('incidents');
    const database = new ShakenDatabase({ url, schema: 'incidents', applicationName: 'shaken' });
    atTheEnd(() => database.close());
    shaken = new Instance(database, clock);
  });

  afterEach(() => vi.restoreAllMocks());

  /** What a counter was given; without a provider all counters may be one object, so what counts is the attribute. */
  function counted(counter: typeof folded, attribute: string): () => [number, unknown][] {
    const add = vi.spyOn(counter, 'add');
    return () => add.mock.calls.flatMap(([n, of]) => (of && attribute in of ? [[n, of[attribute]]] : []));
  }

  it('a batch of results is counted once, and so are its transitions', async () => {
    const monitor = aMonitor({ createdAt: clock.at - MINUTE, spec: { confirm: false } });
    await one.config(monitor);
    const results = counted(folded, 'as');
    const moves = counted(transitions, 'kind');
    await shaken.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 1, down: 'status' }));
    expect(results()).toEqual([[1, expect.any(String)]]);
    expect(moves()).toEqual([[1, 'opened']]);
  });

  it('so are pings, and the pings that did not come', async () => {
    const settings = { schedule: { every: '5m' }, grace: '1m' };
    const monitor: Monitor = aMonitorOf({ kind: 'heartbeat', name: 'backup', settings }, { createdAt: clock.at });
    await one.config(monitor);
    const pings = counted(folded, 'as');
    await shaken.pings({ monitorId: monitor.id, pingId: newId(), signal: 'success', receivedAt: clock.at });
    expect(pings()).toEqual([[1, expect.any(String)]]);
    clock.at += 7 * MINUTE;
    const missed = counted(missedWindows, 'kind');
    await shaken.heartbeats.sweep(clock.at);
    expect(missed().filter(([, kind]) => kind === 'heartbeat')).toEqual([[1, 'heartbeat']]);
  });
});
