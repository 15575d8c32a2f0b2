import { commands, type AnyMonitor, monitorSpec, requests } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { atTheEnd, startService, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { carryOut, startSystem, type System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
}, 60_000);

const spec = (name: string) =>
  monitorSpec.parse({ kind: 'http', name, interval: '10s', settings: { url: 'http://127.0.0.1:9/' } });
const named = async (q: string): Promise<AnyMonitor[]> =>
  (await system.messaging.request(requests.monitorsList, { q, limit: 10 })).items;

/** Whether the stream takes a message under this identifier as new; the first time, it is. */
async function isForgotten(id: string): Promise<boolean> {
  const { duplicate } = await system.messaging.publish('commands.nobody.probe.1', {}, { id });
  const knownBefore = probed.has(id);
  probed.add(id);
  return knownBefore && !duplicate;
}

const probed = new Set<string>();

/** An instance that knows Redis to be away does not wait for it. */
async function everyCacheAnswers(): Promise<boolean> {
  const pages = await Promise.all(
    system.instances.map(async ({ url }) => (await fetch(`${url}/health/ready`)).json() as Promise<HealthPage>),
  );
  return pages.every(({ dependencies }) => dependencies.redis.ok);
}

interface HealthPage {
  dependencies: { redis: { ok: boolean } };
}

describe('a change', () => {
  it('sent again when the stream no longer knows it is answered as the first time, and takes no second effect', async () => {
    const { jsm } = system.messaging.connection;
    const o = { operationId: newId(), requestHash: 'same' };
    const first = await carryOut(system.messaging, commands.monitorsCreate, { spec: spec('long after') }, o);
    const info = await jsm.streams.info('COMMANDS');
    // The ten minutes for which the stream drops doubles are over. The server's timer may still read the window from
    // before the change, and then sleeps for as long; another change wakes it.
    let window = 100_000_000;
    const forgotten = async () => {
      await jsm.streams.update('COMMANDS', { ...info.config, duplicate_window: (window += 1_000_000) });
      return isForgotten('a probe');
    };
    await until(forgotten, { what: 'the stream to forget what came before', everyMs: 50 });
    const again = await carryOut(system.messaging, commands.monitorsCreate, { spec: spec('long after') }, o);
    await jsm.streams.update('COMMANDS', info.config);
    expect(again).toEqual(first);
    expect(await named('long after')).toHaveLength(1);
    const reused = carryOut(
      system.messaging,
      commands.monitorsCreate,
      { spec: spec('other') },
      { ...o, requestHash: 'other' },
    );
    await expect(reused).rejects.toMatchObject({ code: 'key_reused' });
  });

  it('whose owner is killed between its commit and its answer takes effect once, and its result can be read', async () => {
    const { id } = await carryOut(system.messaging, commands.monitorsCreate, { spec: spec('before') });
    const operationId = newId();
    const database = new Database({ url: system.database.superuserUrl, schema: 'monitors', applicationName: 'test' });
    atTheEnd(() => database.close());
    const committed = async () => (await database.query(`SELECT 1 FROM monitors WHERE name = 'orphan'`)).length === 1;
    expect(await committed()).toBe(false);
    // After the commit the other instances are told to forget what they read: with Redis frozen that takes a while.
    await until(() => everyCacheAnswers(), { what: 'every instance connected to Redis' });
    await system.redis.kill('SIGSTOP');
    let answered = false;
    const o = { operationId, requestHash: 'killed', deadline: Date.now() + 15_000 };
    const end = system.messaging.command(commands.monitorsPatch, { id, patch: { name: 'orphan' } }, o);
    void end.then(() => (answered = true));
    await until(committed, { what: 'the commit', everyMs: 2 });
    for (const instance of system.instances) instance.kill('SIGKILL');
    expect(answered).toBe(false);
    await system.redis.kill('SIGCONT');
    await startService('monitors', system.env);
    expect(await end).toMatchObject({ status: 'done', result: { spec: { name: 'orphan' } } });
    expect(await named('orphan')).toHaveLength(1);
    const recorded = await system.messaging.request(requests.operationsOfMonitors, { operationId });
    expect(recorded).toMatchObject({ status: 'done', result: { spec: { name: 'orphan' } } });
  }, 60_000);
});
