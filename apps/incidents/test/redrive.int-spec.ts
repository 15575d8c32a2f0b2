import { newId } from '@tocsin/core';
import type { Monitor } from '@tocsin/contracts';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';
import type { Unconfirmed } from '../src/transitions/transitions.store.ts';

const LEASE = 60_000;

describe('transitions that the notifier has not said to know', () => {
  const clock = new TestClock();
  let one: Instance;
  let other: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    other = instance();
  });

  beforeEach(async () => {
    await one.database.query('DELETE FROM transitions');
    await one.database.query('DELETE FROM outbox');
  });

  async function down(over: Parameters<typeof aMonitor>[0] = {}): Promise<Monitor> {
    const monitor = aMonitor({
      createdAt: clock.at - 60_000,
      ...over,
      spec: { confirm: false, channels: [newId()], ...over.spec },
    });
    await one.config(monitor);
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 20_000, down: 'status' }));
    return monitor;
  }

  const names = (found: Unconfirmed[]): string[] => found.map(({ payload }) => payload.transition).toSorted();
  const acknowledgedByTheStream = (): Promise<unknown> => one.database.query('DELETE FROM outbox');
  const outbox = async (): Promise<string[]> => {
    const rows = await one.database.query<{ id: string }>('SELECT id FROM outbox ORDER BY id');
    return rows.map(({ id }) => id);
  };

  it('are kept with all that they say, where there are channels to tell, and due when they have had time to arrive', async () => {
    const monitor = await down();
    await down({ spec: { channels: [] } });
    expect(await one.transitions.claim(10, LEASE)).toEqual([]);
    await one.transitions.hurry();
    const found = await one.transitions.claim(10, LEASE);
    expect(names(found)).toEqual(['opened']);
    expect(found[0]).toMatchObject({ inOutbox: true, published: 1, payload: { monitorId: monitor.id, state: 'down' } });
    const [row] = await one.database.query<{ payload: unknown }>(
      `SELECT payload FROM outbox WHERE payload->>'monitorId' = $1 AND payload->>'transition' = 'opened'`,
      [monitor.id],
    );
    expect(found[0]?.payload).toEqual(row?.payload);
  });

  it('an acknowledgement and a resolution are kept as well; a redelivered result keeps none a second time', async () => {
    const monitor = await down();
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 20_000, down: 'status' }));
    const [incident] = await one.incidentsOf(monitor);
    await one.commands.acknowledge({ id: String(incident?.['id']) }, { operationId: newId(), requestHash: 'x' });
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 10_000 }));
    await one.transitions.hurry();
    expect(names(await one.transitions.claim(10, LEASE))).toEqual(['acknowledged', 'opened', 'resolved']);
  });

  it('are claimed by one of two instances that race, and by another when that one is gone', async () => {
    for (let n = 0; n < 20; n += 1) await down();
    await one.transitions.hurry();
    const [left, right] = await Promise.all([one.transitions.claim(20, LEASE), other.transitions.claim(20, LEASE)]);
    const ids = [...left, ...right].map(({ payload }) => payload.incidentId);
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
    expect(await other.transitions.claim(20, LEASE)).toEqual([]);
    await one.transitions.hurry();
    expect(await other.transitions.claim(50, LEASE)).toHaveLength(20);
  });

  it('that somebody holds at the moment are left to him, without waiting', async () => {
    for (let n = 0; n < 3; n += 1) await down();
    await one.transitions.hurry();
    await one.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM transitions LIMIT 1 FOR UPDATE');
      expect(await other.transitions.claim(10, LEASE)).toHaveLength(2);
    });
  });

  it('are published again under a fresh id, once although two instances found the same one lost', async () => {
    await down();
    await acknowledgedByTheStream();
    await one.transitions.hurry();
    const lost = await one.transitions.claim(10, 0);
    expect(lost).toMatchObject([{ inOutbox: false, headers: {} }]);
    const again = await Promise.all([one.transitions.publishAgain(lost), other.transitions.publishAgain(lost)]);
    expect(again.toSorted()).toEqual([0, 1]);
    const id = lost[0]!.payload.incidentId;
    expect(await outbox()).toEqual([`${id}.opened.2`]);
    // It is in the outbox: there is no need to ask, and none to publish it once more.
    await one.transitions.hurry();
    expect(await one.transitions.claim(10, 0)).toMatchObject([{ inOutbox: true, published: 2 }]);
    await acknowledgedByTheStream();
    await one.transitions.hurry();
    expect(await one.transitions.publishAgain(await one.transitions.claim(10, 0))).toBe(1);
    expect(await outbox()).toEqual([`${id}.opened.3`]);
  });

  it('are forgotten once they are known', async () => {
    const [known, unknown] = [await down(), await down()];
    await one.transitions.hurry();
    const asked = await one.transitions.claim(10, LEASE);
    await one.transitions.forget(asked.filter(({ payload }) => payload.monitorId === known.id));
    await one.transitions.hurry();
    const left = await one.transitions.claim(10, LEASE);
    expect(left.map(({ payload }) => payload.monitorId)).toEqual([unknown.id]);
  });
});
