import { createHash } from 'node:crypto';
import { commands, monitorSpec, requests } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { atTheEnd, postgresPair, until } from '@tocsin/testing';
import type { RunningPostgres } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP, carryOut, startSystem, type System } from './system.ts';

const WITHIN_MS = 8_000;

let primary: RunningPostgres;
/** What the standby has. */
let copy: Database;
let system: System;

beforeAll(async () => {
  const pair = await postgresPair();
  primary = pair.primary;
  const database = await primary.createDatabase('tocsin');
  const onStandby = database.urlFor('monitors').replace(`:${primary.port}/`, `:${pair.standby.port}/`);
  system = await startSystem({
    TOCSIN_DATABASE_URL: database.urlFor('monitors'),
    TOCSIN_DATABASE_REPLICA_URL: onStandby.replace('@', `@127.0.0.1:${primary.port},`),
  });
  copy = new Database({ url: onStandby, replicaUrl: onStandby, schema: 'monitors', applicationName: 'test' });
  atTheEnd(() => copy.close());
}, 120_000);

const ask = () => ({ deadline: Date.now() + WITHIN_MS });

describe('while there is no primary', () => {
  it('what nobody has read before is read from the standby, marked as stale, and nothing is said to be missing', async () => {
    const { messaging } = system;
    const spec = monitorSpec.parse({ kind: 'tcp', name: 'unread', settings: { host: '127.0.0.1', port: 1 } });
    const monitor = await carryOut(messaging, commands.monitorsCreate, { spec });
    const stored = 'SELECT 1 FROM monitors WHERE id = $1';
    await until(async () => (await copy.read.query(stored, [monitor.id])).length === 1, { what: 'a copy of it' });
    await primary.kill('SIGSTOP');
    try {
      const hash = createHash('sha256').update(BOOTSTRAP).digest('hex');
      const [got, listed, verified, channels] = await Promise.all([
        messaging.request(requests.monitorsGet, { id: monitor.id }, ask()),
        messaging.request(requests.monitorsList, { limit: 10 }, ask()),
        messaging.request(requests.tokensVerify, { hash }, ask()),
        messaging.request(requests.channelsList, { limit: 10 }, ask()),
      ]);
      expect(got).toMatchObject({ stale: true, monitor: { id: monitor.id } });
      expect(listed).toMatchObject({ stale: true, items: [{ id: monitor.id }] });
      expect(verified.token?.name).toBe('bootstrap');
      expect(channels).toMatchObject({ stale: true, items: [] });
      // It may have been created a moment before the primary was lost.
      await expect(messaging.request(requests.monitorsGet, { id: newId() }, ask())).rejects.toMatchObject({
        retry: true,
      });
      const unknown = createHash('sha256').update('tsn_never-seen').digest('hex');
      await expect(messaging.request(requests.tokensVerify, { hash: unknown }, ask())).rejects.toMatchObject({
        retry: true,
      });
    } finally {
      await primary.kill('SIGCONT');
    }
  }, 60_000);
});
