import { natsServer } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Messaging, type MessagingContract } from '../src/index.ts';
import { reconcileConsumer } from '../src/topology/topology.ts';
import { client, contract, jobs, optionsFor } from './harness.ts';

let url: string;

beforeAll(async () => {
  url = (await natsServer()).url;
});

describe('the contract', () => {
  it('is made true by several services that boot at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => client(url)));
    await Promise.all(all.map(({ connection }) => reconcileConsumer(connection, jobs)));
    const depths = await all[0]!.queues();
    expect(depths.map(({ stream }) => stream).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'COMMANDS',
      'DEADLETTERS',
      'JOBS',
      'NEWS',
    ]);
    expect(depths.find(({ stream }) => stream === 'JOBS')?.consumers).toMatchObject([{ durable: 'worker-jobs' }]);
  });

  it('that changed is applied at the next boot, and nothing stored is lost', async () => {
    const before = await client(url);
    await before.publish('jobs.kept', { n: 1 }, { id: 'kept' });
    const streams = contract.streams.map((spec) => ({
      ...spec,
      maxAgeMs: 7_200_000,
      subjects: [...spec.subjects, `more-${spec.name}.>`],
    }));
    const changed: MessagingContract = { ...contract, streams };
    const after = await client(url, { contract: changed });
    await reconcileConsumer(after.connection, { ...jobs, ackWaitMs: 5_000, filters: ['jobs.>', 'more-JOBS.>'] });
    const { config, state } = await after.connection.jsm.streams.info('JOBS');
    expect(config).toMatchObject({ max_age: 7_200_000 * 1e6, subjects: ['jobs.>', 'more-JOBS.>'] });
    expect(state.messages).toBe(1);
    const consumer = await after.connection.jsm.consumers.info('JOBS', 'worker-jobs');
    expect(consumer.config).toMatchObject({ ack_wait: 5_000 * 1e6, filter_subjects: ['jobs.>', 'more-JOBS.>'] });
  });

  it('holds a bucket whose writers learn that they lost a race', async () => {
    const notes = (await client(url)).kv('notes');
    const revision = await notes.create('a', { n: 1 });
    expect(await notes.create('a', { n: 2 })).toBeUndefined();
    expect(await notes.update('a', { n: 3 }, revision! + 1)).toBeUndefined();
    expect(await notes.update('a', { n: 3 }, revision!)).toBeGreaterThan(revision!);
    expect(await notes.get('a')).toMatchObject({ value: { n: 3 } });
    expect(await notes.delete('a', revision!)).toBe(false);
    expect(await notes.delete('a')).toBe(true);
    expect(await notes.get('a')).toBeUndefined();
  });

  it('cannot be had when no server answers, and the message says what to do', async () => {
    const nobody = Messaging.connect(optionsFor('127.0.0.1:1'), { firstConnectMs: 300 });
    await expect(nobody).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('127.0.0.1:1'),
    });
  });
});
