import { Controller } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Consumes, type Delivery, type Messaging } from '../src/index.ts';
import { client, type Instance, instance, type Job, jobs } from './harness.ts';

const batches: number[][] = [];
let behave: (jobs: Job[]) => void = () => undefined;

@Controller()
class Batches {
  @Consumes(jobs, { batch: 10, lingerMs: 100 })
  handle(deliveries: Delivery<Job>[]): void {
    batches.push(deliveries.map(({ data }) => data.n));
    behave(deliveries.map(({ data }) => data));
  }
}

let url: string;
let tester: Messaging;
let worker: Instance | undefined;

beforeAll(async () => {
  url = (await natsServer()).url;
  tester = await client(url);
});

afterEach(async () => {
  await worker?.close();
  worker = undefined;
  batches.length = 0;
  for (const { sequence } of await tester.deadLetters.list({ limit: 100 })) await tester.deadLetters.discard(sequence);
});

const send = (n: number, headers?: Record<string, string>) =>
  tester.publish(`jobs.${n}`, { n }, { id: `${n}-${Math.random()}`, ...(headers ? { headers } : {}) });
const drained = async (): Promise<boolean> =>
  (await tester.queues()).find(({ stream }) => stream === 'JOBS')?.messages === 0;
const refuse = (n: number) => (jobs: Job[]) => {
  if (jobs.some((job) => job.n === n)) throw new TypeError('cannot read it');
};

describe('a batch', () => {
  it('is handled as one call and acknowledged as a whole', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, n) => send(n)));
    worker = await instance(url, Batches);
    await until(drained, { what: 'the batch acknowledged' });
    expect(batches).toHaveLength(1);
    expect(batches[0]).toHaveLength(10);
  });

  it('that fails is tried one by one, so one poison does not drown the rest', async () => {
    behave = refuse(3);
    await Promise.all(Array.from({ length: 10 }, (_, n) => send(n)));
    worker = await instance(url, Batches);
    await until(drained, { what: 'every job settled' });
    const handled = batches.flat().filter((n) => n !== 3);
    // Once in the batch that failed, once alone.
    expect(handled).toHaveLength(18);
    const [letter, ...others] = await tester.deadLetters.list({ limit: 10 });
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ subject: 'jobs.3', reason: 'exhausted', message: 'cannot read it', deliveries: 2 });
  });
});

describe('a batch that fails because something is away', () => {
  it('comes again as a batch, is not tried one by one, and makes no dead letter', async () => {
    let calls = 0;
    behave = () => {
      if (++calls <= 4) throw new TocsinError('unavailable', 'the database is away');
    };
    await Promise.all(Array.from({ length: 10 }, (_, n) => send(n)));
    worker = await instance(url, Batches);
    await until(drained, { what: 'every job settled' });
    expect(batches.length).toBeLessThan(10);
    expect(batches.at(-1)!.length).toBeGreaterThan(1);
    expect(await tester.deadLetters.list({ limit: 10 })).toEqual([]);
  });
});

describe('a dead letter', () => {
  it('holds what cannot be parsed, with subject, headers, payload and reason, and leaves the stream', async () => {
    behave = () => undefined;
    worker = await instance(url, Batches);
    tester.connection.nats.publish('jobs.9', '{"n":"nine"');
    tester.connection.nats.publish('jobs.9', Uint8Array.of(0xff, 0xfe));
    await tester.publish('jobs.8', { n: 'eight' }, { id: 'eight', headers: { 'X-From': 'test' } });
    await send(1);
    await until(drained, { what: 'the stream empty' });
    expect(batches).toEqual([[1]]);
    const letters = await tester.deadLetters.list({ limit: 10 });
    expect(letters.map(({ payload, encoding, reason }) => ({ payload, encoding, reason }))).toEqual([
      { payload: '{"n":"eight"}', encoding: 'utf8', reason: 'unparsable' },
      { payload: '//4=', encoding: 'base64', reason: 'unparsable' },
      { payload: '{"n":"nine"', encoding: 'utf8', reason: 'unparsable' },
    ]);
    expect(letters[0]).toMatchObject({
      stream: 'JOBS',
      durable: 'worker-jobs',
      code: 'invalid',
      subject: 'jobs.8',
      deliveries: 1,
      headers: { 'X-From': 'test', 'Nats-Msg-Id': 'eight' },
    });
    expect(letters[0]!.message).toContain('n: not a number');
  });

  it('is made at once by an error that no retry can help, with its code', async () => {
    behave = () => {
      throw new TocsinError('conflict', 'that can never be');
    };
    worker = await instance(url, Batches);
    await send(4);
    await until(drained, { what: 'the stream empty' });
    const [letter] = await tester.deadLetters.list({ limit: 1 });
    expect(letter).toMatchObject({ code: 'conflict', reason: 'refused', message: 'that can never be', deliveries: 1 });
  });

  it('is delivered again when it is driven again, and gone from the list', async () => {
    behave = refuse(5);
    worker = await instance(url, Batches);
    await send(5, { 'X-From': 'test' });
    await until(drained, { what: 'given up' });
    behave = () => undefined;
    batches.length = 0;
    const [letter] = await tester.deadLetters.list({ limit: 1 });
    await tester.deadLetters.redrive(letter!.sequence);
    await until(() => batches.length === 1, { what: 'delivered again' });
    expect(batches).toEqual([[5]]);
    expect(await tester.deadLetters.list({ limit: 1 })).toEqual([]);
    await expect(tester.deadLetters.redrive(letter!.sequence)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is gone when it is discarded', async () => {
    behave = refuse(6);
    worker = await instance(url, Batches);
    await send(6);
    await until(drained, { what: 'given up' });
    const [letter] = await tester.deadLetters.list({ limit: 1 });
    await tester.deadLetters.discard(letter!.sequence);
    await expect(tester.deadLetters.read(letter!.sequence)).rejects.toMatchObject({ code: 'not_found' });
    await expect(tester.deadLetters.discard(letter!.sequence)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is listed newest first, in pages', async () => {
    behave = () => {
      throw new TocsinError('invalid', 'no');
    };
    worker = await instance(url, Batches);
    for (const n of [1, 2, 3]) await send(n);
    await until(drained, { what: 'given up' });
    const page = await tester.deadLetters.list({ limit: 2 });
    const rest = await tester.deadLetters.list({ limit: 2, before: page[1]!.sequence });
    expect([...page, ...rest].map(({ subject }) => subject).toSorted()).toEqual(['jobs.1', 'jobs.2', 'jobs.3']);
    expect(page[0]!.sequence).toBeGreaterThan(page[1]!.sequence);
  });

  it('is listed behind any number of discarded ones, so that only the last page is short', async () => {
    const { nats, jsm } = tester.connection;
    const old = [await bury(1), await bury(2)];
    for (let n = 0; n < 6_000; n++) nats.publish('deadletters.gap', '{}');
    const stored = async () => (await jsm.streams.info('DEADLETTERS')).state.last_seq >= old[1]! + 6_000;
    await until(stored, { what: 'all of the gap stored' });
    await jsm.streams.purge('DEADLETTERS', { filter: 'deadletters.gap' });
    const newer = [await bury(3), await bury(4)];
    expect(newer[0]! - old[1]!).toBeGreaterThan(6_000);
    const sequences = async (before?: number) =>
      (await tester.deadLetters.list({ limit: 3, before })).map(({ sequence }) => sequence);
    expect(await sequences()).toEqual([newer[1], newer[0], old[1]]);
    expect(await sequences(old[1])).toEqual([old[0]]);
    expect(await sequences(newer[0])).toEqual([old[1], old[0]]);
  });
});

/** A letter as the worker stores it. */
async function bury(n: number): Promise<number> {
  const letter = { stream: 'JOBS', durable: 'worker-jobs', subject: `jobs.${n}`, payload: '{}', encoding: 'utf8' };
  return (await tester.publish('deadletters.JOBS.worker-jobs', letter, { id: `bury-${n}` })).sequence;
}
