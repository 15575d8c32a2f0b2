import { commands, type AnyMonitor, monitorSpec, streams, subjects } from '@tocsin/contracts';
import { Database } from '@tocsin/database';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { carryOut, startSystem, type System } from './system.ts';

let system: System;

beforeAll(async () => {
  // Nothing is compared by the clock: what comes back comes because the stream was deleted.
  system = await startSystem({ TOCSIN_RECONCILE_MS: '3600000' });
}, 60_000);

const create = (name: string): Promise<AnyMonitor> =>
  carryOut(system.messaging, commands.monitorsCreate, {
    spec: monitorSpec.parse({ kind: 'http', name, settings: { url: 'http://127.0.0.1:9/' } }),
  });

it('CONFIG that was deleted is filled again at once, and with what was changed just before, too', async () => {
  const [old, young] = [await create('old'), await create('young')];
  const database = new Database({
    url: system.database.urlFor('monitors'),
    schema: 'monitors',
    applicationName: 'test',
  });
  atTheEnd(() => database.close());
  await database.query(`UPDATE monitors SET updated_at = updated_at - interval '1 minute' WHERE id = $1`, [old.id]);
  // As the schedulers do, who so notice that it is gone.
  const filters = [...streams.config.subjects];
  const follow = await system.messaging.follow(
    { stream: streams.config.name, filters, from: 'last-per-subject' },
    () => undefined,
  );
  atTheEnd(() => follow.stop());
  const { jsm } = system.messaging.connection;
  const stored = (of: AnyMonitor): Promise<unknown> =>
    jsm.streams.getMessage(streams.config.name, { last_by_subj: subjects.monitorConfig(of.id) });
  await until(async () => (await stored(old)) && (await stored(young)), { what: 'CONFIG to hold both' });
  await jsm.streams.delete(streams.config.name);
  const deletedAt = Date.now();
  await until(() => stored(old), { timeoutMs: 15_000, what: 'the older one' });
  await until(() => stored(young), { timeoutMs: 15_000, what: 'the younger one' });
  expect(Date.now() - deletedAt).toBeLessThan(20_000);
});
