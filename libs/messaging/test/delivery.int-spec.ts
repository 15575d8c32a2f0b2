import { DiscardPolicy } from '@nats-io/jetstream';
import { Controller } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Consumes, type Delivery, HandBack, Messaging } from '../src/index.ts';
import { client, instance, type Job, jobs } from './harness.ts';

interface Seen {
  by: string;
  n: number;
  deliveries: number;
  at: number;
}

const seen: Seen[] = [];
let behave: (job: Job, delivery: Delivery<Job>) => Promise<void> | void = () => undefined;

@Controller()
class Jobs {
  constructor(private readonly messaging: Messaging) {}

  @Consumes(jobs, { concurrency: 8 })
  async handle(job: Job, delivery: Delivery<Job>): Promise<void> {
    const by = this.messaging.connection.options.instance;
    seen.push({ by, n: job.n, deliveries: delivery.deliveries, at: performance.now() });
    await behave(job, delivery);
  }
}

@Controller()
class ImpatientJobs {
  @Consumes(jobs, { batch: 1, timeoutMs: 500 })
  async handle(deliveries: Delivery<Job>[]): Promise<void> {
    for (const { data, deliveries: nth } of deliveries)
      seen.push({ by: 'impatient', n: data.n, deliveries: nth, at: 0 });
    await behave(deliveries[0]!.data, deliveries[0]!);
  }
}

@Controller()
class BatchedJobs {
  @Consumes(jobs, { batch: 10, lingerMs: 5 })
  async handle(deliveries: Delivery<Job>[]): Promise<void> {
    for (const { data, deliveries: nth } of deliveries) seen.push({ by: 'batched', n: data.n, deliveries: nth, at: 0 });
    await behave(deliveries[0]!.data, deliveries[0]!);
  }
}

let url: string;
let tester: Messaging;

beforeAll(async () => {
  url = (await natsServer()).url;
  tester = await client(url);
});

beforeEach(async () => {
  seen.length = 0;
  behave = () => undefined;
});

const send = (n: number, id = `job-${n}-${Math.random()}`) => tester.publish(`jobs.${n}`, { n }, { id });
const drained = async (): Promise<boolean> => {
  const depth = (await tester.queues()).find(({ stream }) => stream === 'JOBS');
  return depth?.messages === 0;
};

describe('a durable consumer', () => {
  it('gives each message to one of two instances, and both get some', async () => {
    const a = await instance(url, Jobs);
    const b = await instance(url, Jobs);
    behave = () => new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(Array.from({ length: 200 }, (_, n) => send(n)));
    await until(drained, { what: 'every job acknowledged' });
    expect(seen.map(({ n }) => n).toSorted((x, y) => x - y)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(new Set(seen.map(({ by }) => by)).size).toBe(2);
    await Promise.all([a.close(), b.close()]);
  });

  it('stores a message with an id that it has seen once only, and says so', async () => {
    const first = await send(1, 'same-id');
    const second = await send(1, 'same-id');
    expect(first.duplicate).toBe(false);
    expect(second).toMatchObject({ duplicate: true, sequence: first.sequence });
    const a = await instance(url, Jobs);
    await until(drained, { what: 'the job acknowledged' });
    expect(seen).toHaveLength(1);
    await a.close();
  });

  it('delivers the tasks of an instance that died to another after the ack wait', async () => {
    const a = await instance(url, Jobs);
    let begun = false;
    let finish: () => void = () => undefined;
    behave = () => {
      begun = true;
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    await send(7);
    await until(() => begun, { what: 'the first instance has it' });
    behave = () => undefined;
    await a.crash();
    // What it comes to after its connection is gone can't be told, and must not bring the process down.
    finish();
    const b = await instance(url, Jobs);
    await until(drained, { what: 'the job done by the other' });
    expect(seen.map(({ n }) => n)).toEqual([7, 7]);
    expect(seen[1]).toMatchObject({ deliveries: 2 });
    expect(seen[1]!.at - seen[0]!.at).toBeLessThan(3_000);
    await b.close();
  });

  it('rests while what its handler needs is away, and does all that waited as soon as that is back', async () => {
    const a = await instance(url, Jobs);
    const AWAY_MS = 3_000;
    let back = Infinity;
    behave = () => {
      if (performance.now() < back) throw new TocsinError('unavailable', 'no database');
    };
    await Promise.all(Array.from({ length: 200 }, (_, n) => send(n)));
    back = performance.now() + AWAY_MS;
    await until(drained, { timeoutMs: AWAY_MS + 10_000, what: 'every job done' });
    const doneMs = Math.max(...seen.map(({ at }) => at)) - back;
    const inVain = seen.filter(({ at }) => at < back).length;
    expect(doneMs).toBeLessThan(2_500);
    // Eight at a time: at once, after 250 and 750 ms, and then each second. Without a rest some 50 times as many.
    expect(inVain).toBeLessThan(8 * (3 + AWAY_MS / 1_000 + 2));
    await a.close();
  });

  it('extends the ack of work that runs longer than the ack wait', async () => {
    const a = await instance(url, Jobs);
    const b = await instance(url, Jobs);
    behave = () => new Promise((resolve) => setTimeout(resolve, 2_500));
    await send(8);
    await until(drained, { timeoutMs: 8_000, what: 'the long job acknowledged' });
    expect(seen).toHaveLength(1);
    await Promise.all([a.close(), b.close()]);
  });

  it('delivers again after the back-off when a handler throws', async () => {
    const a = await instance(url, Jobs);
    behave = (_, delivery) => {
      if (delivery.deliveries === 1) throw new Error('once');
    };
    await send(9);
    await until(drained, { what: 'the job acknowledged' });
    expect(seen.map(({ deliveries }) => deliveries)).toEqual([1, 2]);
    await a.close();
  });

  it('does not count being handed back, nor an outage, as a failure', async () => {
    const a = await instance(url, Jobs);
    behave = (_, delivery) => {
      if (delivery.deliveries <= 3) throw new HandBack(10, 'not now');
      if (delivery.deliveries <= 6) throw new TocsinError('unavailable', 'the database is away');
      if (delivery.deliveries === 7) throw new Error('its first failure of two');
    };
    await send(10);
    await until(drained, { what: 'the job acknowledged' });
    expect(seen).toHaveLength(8);
    expect(await tester.deadLetters.list({ limit: 10 })).toEqual([]);
    await a.close();
  });

  it('counts the failures of a message on whichever instance they happen', async () => {
    let failures = 0;
    let leaving = true;
    behave = () => {
      if (failures === 1 && leaving) throw new HandBack(20, 'for the other instance');
      failures += 1;
      throw new Error('boom');
    };
    const a = await instance(url, Jobs);
    await send(11);
    await until(() => failures === 1, { what: 'failed on the first instance' });
    await a.close();
    leaving = false;
    const b = await instance(url, Jobs);
    await until(drained, { what: 'the job in the dead letters' });
    expect(failures).toBe(2);
    expect(seen.at(-1)).toMatchObject({ by: b.messaging.connection.options.instance });
    const [letter] = await tester.deadLetters.list({ limit: 10 });
    expect(letter).toMatchObject({ subject: 'jobs.11', reason: 'exhausted' });
    await tester.deadLetters.discard(letter!.sequence);
    await b.close();
  });

  it('hands back what it has not begun when it drains, and another instance has it at once', async () => {
    const a = await instance(url, Jobs);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    behave = () => held;
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    await until(() => seen.length === 8, { what: 'the first instance is full' });
    const stopping = a.transport.drain(300);
    behave = () => undefined;
    const b = await instance(url, Jobs);
    await stopping;
    await until(drained, { timeoutMs: 900, what: 'all done by the other before any ack wait ended' });
    release();
    expect(seen.filter(({ deliveries }) => deliveries === 2)).toHaveLength(8);
    await Promise.all([a.close(), b.close()]);
  });

  it('hands back the batch that it keeps ready when it drains', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    let release: () => void = () => undefined;
    behave = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const a = await instance(url, BatchedJobs);
    await until(() => seen.length === 10, { what: 'the first batch begun' });
    const ready = async (): Promise<boolean> =>
      (await tester.queues()).find(({ stream }) => stream === 'JOBS')?.consumers[0]?.ackPending === 20;
    await until(ready, { what: 'the second batch fetched' });
    const b = await instance(url, BatchedJobs);
    const fetched = performance.now();
    behave = () => undefined;
    const stopping = a.transport.drain(5_000);
    await until(() => seen.length === 20, { what: 'the second batch done by the other' });
    // Acks are extended every third of the ack wait, so without handing back it would take two thirds at least.
    expect(performance.now() - fetched).toBeLessThan((2 / 3) * jobs.ackWaitMs);
    release();
    await stopping;
    await until(drained, { timeoutMs: 900, what: 'all acknowledged' });
    expect(seen).toHaveLength(20);
    await Promise.all([a.close(), b.close()]);
  });

  it('gives away what waits behind a handler that hangs, and does not take it again', async () => {
    let release: () => void = () => undefined;
    const hangs = new Promise<void>((resolve) => {
      release = resolve;
    });
    behave = () => hangs;
    const a = await instance(url, ImpatientJobs);
    await Promise.all([send(1), send(2)]);
    const both = async (): Promise<boolean> =>
      (await tester.queues()).find(({ stream }) => stream === 'JOBS')?.consumers[0]?.ackPending === 2;
    await until(async () => seen.length === 1 && (await both()), { what: 'one hangs, one waits' });
    const b = await instance(url, Jobs);
    behave = () => undefined;
    await until(drained, { timeoutMs: 6_000, what: 'both done by the other' });
    expect(seen.filter(({ by }) => by === 'impatient')).toHaveLength(1);
    release();
    await Promise.all([a.close(), b.close()]);
  });
});

describe('a publish', () => {
  it('is sent again until a stream takes it', async () => {
    const published = tester.publish('late.x', 1, { id: 'late' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await tester.connection.jsm.streams.add({ name: 'LATE', subjects: ['late.>'] });
    expect(await published).toMatchObject({ stream: 'LATE', sequence: 1, duplicate: false });
  });

  it.each([
    ['acknowledged without a sequence', { stream: 'X', seq: 0, duplicate: true }],
    [
      'told that its first attempt is in process',
      { error: { code: 409, err_code: 10_201, description: 'in process' } },
    ],
    ['told that there is no leader', { error: { code: 503, err_code: 10_008, description: 'no leader' } }],
  ])('that is %s is sent again with the same id', async (_how, first) => {
    const ids: string[] = [];
    const answers = [first, { stream: 'X', seq: 7 }];
    const broker = tester.connection.nats.subscribe('odd.x', {
      callback: (_, msg) => {
        ids.push(msg.headers?.get('Nats-Msg-Id') ?? '');
        msg.respond(JSON.stringify(answers.shift()));
      },
    });
    expect(await tester.publish('odd.x', 1, { id: 'odd' })).toMatchObject({ sequence: 7 });
    expect(ids).toEqual(['odd', 'odd']);
    broker.unsubscribe();
  });

  it('that no stream takes in its time is unavailable and says why', async () => {
    const published = tester.publish('nowhere.x', 1, { id: 'nowhere', timeoutMs: 300 });
    await expect(published).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no stream takes'),
    });
  });

  it('to a full stream is exhausted, and goes on once there is room', async () => {
    const { streams } = tester.connection.jsm;
    await streams.add({ name: 'FULL', subjects: ['full.>'], max_msgs: 1, discard: DiscardPolicy.New });
    await tester.publish('full.x', 1, { id: 'one' });
    const refused = tester.publish('full.x', 2, { id: 'two', timeoutMs: 400 });
    await expect(refused).rejects.toMatchObject({ code: 'exhausted', retry: true });
    const waiting = tester.publish('full.x', 3, { id: 'three' });
    await streams.purge('FULL');
    expect(await waiting).toMatchObject({ stream: 'FULL' });
  });

  it('ends in its time while as many as may be in flight wait, or when the process stops', async () => {
    const busy = await client(url);
    tester.connection.nats.subscribe('silent.x', { callback: () => undefined });
    const publish = (n: number, timeoutMs?: number) => busy.publish('silent.x', n, { id: `silent-${n}`, timeoutMs });
    const problem = (error: Error): string => error.message;
    const ends = Array.from({ length: 4_096 }, (_, n) => publish(n).catch(problem));
    await expect(publish(-1, 200)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('was not sent in time'),
    });
    ends.push(publish(-2).catch(problem));
    await busy.close();
    expect((await Promise.all(ends)).at(-1)).toContain('stops');
  }, 10_000);

  it('too large for the broker is refused before it is sent', async () => {
    const tooLarge = tester.publish('jobs.x', 'x'.repeat(2 ** 21), { id: 'large' });
    await expect(tooLarge).rejects.toMatchObject({ code: 'too_large', retry: false });
  });

  it('with a line break in a header is refused', async () => {
    const forged = tester.publish('jobs.x', 1, { id: 'forged', headers: { 'X-From': 'a\r\nTocsin-Actor: root' } });
    await expect(forged).rejects.toThrow('line break');
  });
});
