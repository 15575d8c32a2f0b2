import { createHash } from 'node:crypto';
import { commands, monitorSpec, requests } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { type PostgresPair, startPostgresPair } from '@tocsin/local';
import { atTheEnd, signalPostgres, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP, carryOut, startSystem, type System } from './system.ts';

const WITHIN_MS = 8_000;

let pair: PostgresPair;
let system: System;

beforeAll(async () => {
  pair = await startPostgresPair({ durable: false });
  atTheEnd(() => pair.stop());
  const database = await pair.createDatabase('tocsin');
  const address = (name: string): string => new URL(pair.members.get(name as never)!.url).host;
  await until(() => pair.inSync, { timeoutMs: 30_000, what: 'a standby that has everything' });
  const all = [...pair.members.keys()].map(address);
  system = await startSystem({
    // The primary of now alone: nothing to fail over to.
    TOCSIN_DATABASE_URL: database.urlFor('monitors', [address(pair.primary)]),
    TOCSIN_DATABASE_REPLICA_URL: database.urlFor('monitors', all),
  });
}, 120_000);

const ask = () => ({ deadline: Date.now() + WITHIN_MS });

describe('while there is no primary', () => {
  it('what nobody has read before is read from the standby, marked as stale, and nothing is said to be missing', async () => {
    const { messaging } = system;
    const spec = monitorSpec.parse({ kind: 'tcp', name: 'unread', settings: { host: '127.0.0.1', port: 1 } });
    const monitor = await carryOut(messaging, commands.monitorsCreate, { spec });
    const frozen = pair.members.get(pair.primary)!.pid;
    await signalPostgres(frozen, 'SIGSTOP');
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
      await signalPostgres(frozen, 'SIGCONT').catch(() => undefined);
    }
  }, 60_000);
});
