import { Controller } from '@nestjs/common';
import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Consumes, type Followed, type Messaging } from '../src/index.ts';
import { client, type Instance, instance, type Job, jobs } from './harness.ts';

const seen: number[] = [];
/** The streams JOBS, NEWS, COMMANDS and DEADLETTERS, and the buckets notes, leases and suspects. */
const STANDING = 7;

@Controller()
class Jobs {
  @Consumes(jobs, { concurrency: 16 })
  handle(job: Job): void {
    seen.push(job.n);
  }
}

let url: string;
let tester: Messaging;
let worker: Instance;

beforeAll(async () => {
  url = (await natsServer()).url;
});

beforeEach(async () => {
  seen.length = 0;
  tester = await client(url);
  worker = await instance(url, Jobs);
});

afterEach(async () => {
  await worker.close();
  await tester.close();
});

const streams = () => tester.connection.jsm.streams;
const send = (n: number) => tester.publish(`jobs.${n}`, { n }, { id: `job-${n}-${Math.random()}` });
const say = (n: number) => tester.publish('news.x', { n }, { id: `news-${n}-${Math.random()}` });
/** Makes it look for what is missing, and waits until it has. */
async function looked({ connection }: Messaging): Promise<void> {
  const asked = vi.spyOn(connection.jsm.streams, 'info');
  connection.reportMissing('a test');
  const done = () => asked.mock.settledResults.filter(({ type }) => type !== 'incomplete').length;
  await until(() => done() >= STANDING, { timeoutMs: 8_000, what: 'every stream and bucket asked for' });
  asked.mockRestore();
}

const numbers = (heard: Followed[]) => heard.map(({ data }) => (data as { n: number }).n);

describe('while the system runs', () => {
  it('a deleted stream is created again by what is published to it, with its consumer, and work goes on', async () => {
    await send(1);
    await until(() => seen.includes(1), { what: 'work done before' });
    await streams().delete('JOBS');
    const published = await send(2);
    expect(published).toMatchObject({ stream: 'JOBS', duplicate: false });
    await until(() => seen.includes(2), { timeoutMs: 6_000, what: 'work done after' });
    const { config } = await tester.connection.jsm.consumers.info('JOBS', 'worker-jobs');
    expect(config).toMatchObject({ filter_subject: 'jobs.>', ack_wait: 1_000 * 1e6 });
  }, 20_000);

  it('a deleted consumer is created again by those who pull from it', async () => {
    await tester.connection.jsm.consumers.delete('JOBS', 'worker-jobs');
    await send(3);
    await until(() => seen.includes(3), { timeoutMs: 8_000, what: 'the work done' });
    expect(seen).toEqual([3]);
  }, 20_000);

  it('a deleted bucket is created again by those who write to it', async () => {
    const notes = tester.kv('notes');
    await notes.put('a', 1);
    await streams().delete('KV_notes');
    await expect(notes.put('a', 2)).rejects.toMatchObject({ code: 'unavailable', retry: true });
    await until(() => notes.put('a', 3), { timeoutMs: 6_000, what: 'written again' });
    expect(await notes.get('a')).toMatchObject({ value: 3, revision: 1 });
  }, 20_000);

  it('a deleted bucket is created again by those who read from it', async () => {
    const notes = tester.kv('notes');
    await streams().delete('KV_notes');
    await expect(notes.get('a')).rejects.toMatchObject({ code: 'unavailable', retry: true });
    await until(async () => (await notes.get('a')) === undefined, { timeoutMs: 6_000, what: 'read again' });
  }, 20_000);

  it('every process that knew a stream is told once that it is created again, even if it does not use it', async () => {
    const told: string[][] = [[], []];
    tester.onStreamRecreated((stream) => told[0]!.push(stream));
    worker.messaging.onStreamRecreated((stream) => told[1]!.push(stream));
    // What they look for since they started is done with: from here on only a publish can notice.
    const both = [tester, worker.messaging];
    await Promise.all(both.map(looked));
    await streams().delete('NEWS');
    await say(1);
    await until(() => told.every((names) => names.length > 0), { timeoutMs: 8_000, what: 'both told' });
    tester.connection.reportMissing('look once more');
    await send(4);
    await until(() => seen.includes(4), { what: 'the work done' });
    expect(told).toEqual([['NEWS'], ['NEWS']]);
  }, 20_000);

  it('one stream that cannot be made keeps no other from being made, nor its news from being told', async () => {
    const told: string[] = [];
    tester.onStreamRecreated((stream) => told.push(stream));
    await streams().delete('JOBS');
    await streams().add({ name: 'SQUATTER', subjects: ['jobs.taken'] });
    await streams().delete('NEWS');
    expect(await say(1)).toMatchObject({ stream: 'NEWS', sequence: 1 });
    await until(() => told.includes('NEWS'), { timeoutMs: 8_000, what: 'told' });
    expect(told).not.toContain('JOBS');
    await streams().delete('SQUATTER');
    tester.connection.reportMissing('a test');
    await until(() => told.includes('JOBS'), { timeoutMs: 8_000, what: 'the other made, too' });
  }, 40_000);

  it('a setting that was changed is restored at the next look, and nothing is emptied', async () => {
    await say(1);
    const before = await streams().info('NEWS');
    await streams().update('NEWS', { max_age: 1_000 * 1e9, republish: { src: 'news.>', dest: 'jobs.forged.>' } });
    tester.connection.reportMissing('a test');
    const restored = async () => (await streams().info('NEWS')).config.republish === undefined;
    await until(restored, { timeoutMs: 8_000, what: 'restored' });
    const after = await streams().info('NEWS');
    expect(after.config).toEqual(before.config);
    expect(after.created).toBe(before.created);
    expect(after.state.messages).toBe(before.state.messages);
  }, 20_000);

  it('what another version set is left to it, but for what no version has', async () => {
    const config = { max_age: 1_000 * 1e9, metadata: { 'tocsin.contract': 'another' } };
    await streams().update('NEWS', { ...config, sources: [{ name: 'JOBS', filter_subject: 'jobs.forged' }] });
    tester.connection.reportMissing('a test');
    const restored = async () => !(await streams().info('NEWS')).config.sources?.length;
    await until(restored, { timeoutMs: 8_000, what: 'no sources any more' });
    expect((await streams().info('NEWS')).config).toMatchObject(config);
  }, 20_000);
});

describe('a process that may not create streams', () => {
  it('waits for them when it starts, and says for what', async () => {
    const own = await natsServer();
    const waiting = client(own.url, { keepsStreams: false });
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))]);
    expect(first).toBe('waits');
    const keeper = await client(own.url);
    expect((await waiting).status().connected).toBe(true);
    await keeper.close();
  }, 20_000);

  it('has a stream that is missing created by those who may, and hears that it is created again', async () => {
    const told: string[] = [];
    const follower = await client(url, { keepsStreams: false });
    follower.onStreamRecreated((stream) => told.push(stream));
    await streams().delete('NEWS');
    const published = await follower.publish('news.x', { n: 1 }, { id: `follower-${Math.random()}` });
    expect(published).toMatchObject({ stream: 'NEWS', duplicate: false });
    await until(() => told.includes('NEWS'), { timeoutMs: 8_000, what: 'told' });
    await follower.close();
  }, 20_000);

  it('goes on once one who may is back', async () => {
    const own = await natsServer();
    const keeper = await client(own.url);
    const follower = await client(own.url, { keepsStreams: false });
    await keeper.connection.jsm.streams.delete('NEWS');
    await keeper.close();
    const published = follower.publish('news.x', { n: 1 }, { id: 'waits' });
    const first = await Promise.race([published, new Promise((resolve) => setTimeout(resolve, 1_500, 'waits'))]);
    expect(first).toBe('waits');
    await client(own.url);
    expect(await published).toMatchObject({ stream: 'NEWS', sequence: 1 });
  }, 30_000);
});

describe('following a stream that is deleted and is created again', () => {
  it.each(['all', 'new', 'last-per-subject'] as const)(
    'from %s sees everything that the new one holds',
    async (from) => {
      for (let n = 0; n < 5; n++) await say(n);
      const heard: Followed[] = [];
      let resets = 0;
      const o = { stream: 'NEWS', filters: ['news.x'], from, onReset: () => resets++ };
      const follow = await tester.follow(o, (message) => heard.push(message));
      await say(5);
      await until(() => numbers(heard).includes(5), { what: 'following' });
      heard.length = 0;
      await streams().delete('NEWS');
      // Fewer than were seen before: whoever waits behind the last sequence would wait for good.
      for (const n of [10, 11]) await say(n);
      await until(() => numbers(heard).includes(11), { timeoutMs: 10_000, what: 'the last of the new stream' });
      await say(12);
      await until(() => numbers(heard).includes(12), { what: 'and on' });
      // The last of each subject may have replaced the one before it before it could be seen.
      expect(numbers(heard).slice(from === 'last-per-subject' ? -2 : 0)).toEqual(
        from === 'last-per-subject' ? [11, 12] : [10, 11, 12],
      );
      expect(resets).toBe(1);
      await follow.stop();
    },
    30_000,
  );
});
