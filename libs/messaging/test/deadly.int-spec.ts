import type { Msg } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConsumerSpec, HandBack, type Messaging } from '../src/index.ts';
import { ReceivedDelivery } from '../src/consume/delivery.ts';
import { ExclusiveSlot } from '../src/consume/exclusive-slot.ts';
import { CrashMarks, suspectsBucket } from '../src/consume/crash-marks.ts';
import type { ConsumerDefinition } from '../src/consume/consumer-definition.ts';
import { Worker } from '../src/consume/worker.ts';
import { client, type Job, jobs } from './harness.ts';

const ACK_WAIT_MS = 300;
const POISON = 13;
const news: ConsumerSpec<Job> = {
  ...jobs,
  durable: 'worker-news',
  stream: 'NEWS',
  filters: ['news.>'],
  ackWaitMs: ACK_WAIT_MS,
};

let url: string;
let tester: Messaging;

beforeAll(async () => {
  url = (await natsServer()).url;
  tester = await client(url);
});

beforeEach(async () => {
  await tester.connection.jsm.streams.purge('JOBS');
});

const send = (n: number) => tester.publish(`jobs.${n}`, { n }, { id: `job-${n}-${Math.random()}` });
const depth = async () => (await tester.queues()).find(({ stream }) => stream === 'JOBS');
const drained = async (): Promise<boolean> => (await depth())?.messages === 0;

type Handle = (n: number, crash: () => Promise<never>) => Promise<void>;

/**
 * A process that takes jobs, in batches or one by one, and news if it has something to do with them; `crash` ends it as a
 * kill would, in the midst of its work.
 */
async function processWith(handle: Handle, o: { batch?: number | undefined; news?: Handle } = {}) {
  const messaging = await client(url);
  let dead = false;
  let calls = 0;
  const crash = async (): Promise<never> => {
    dead = true;
    await messaging.connection.nats.close();
    return new Promise<never>(() => undefined);
  };
  const slot = new ExclusiveSlot();
  const start = async (spec: ConsumerSpec, on: Handle, batch?: number): Promise<Worker> => {
    await messaging.topology.keep(spec);
    const definition: ConsumerDefinition = {
      spec,
      kind: 'event',
      options: batch === undefined ? { concurrency: 8 } : { batch },
      parse: (delivery) => delivery.msg.json(),
      handle: async (data) => {
        calls++;
        const all = batch === undefined ? [data as Job] : (data as { data: Job }[]).map((one) => one.data);
        for (const { n } of all) if (!dead) await on(n, crash);
        if (dead) await new Promise(() => undefined);
      },
    };
    const worker = new Worker(messaging.connection, messaging.deadLetters, definition, slot);
    worker.start();
    return worker;
  };
  const workers = [await start({ ...jobs, ackWaitMs: ACK_WAIT_MS }, handle, o.batch)];
  if (o.news) workers.push(await start(news, o.news));
  const stop = (): Promise<unknown> => Promise.all(workers.map((worker) => worker.drain(0)));
  return { died: () => dead, stop, calls: () => calls };
}

/** Brings messages to more deliveries than any retry does. */
async function deliveredOften(count: number): Promise<void> {
  let handled = 0;
  const one = await processWith(async () => {
    handled++;
    throw new HandBack(1, 'not now');
  });
  await until(() => handled >= 14 * count, { what: 'delivered often' });
  await one.stop();
}

describe.each([
  ['one by one', undefined],
  ['in batches', 10],
])('a message that ends its process on every delivery, %s', (_how, batch) => {
  it('becomes a dead letter with the reason, and what was in hand with it does not', async () => {
    await Promise.all([1, 2, POISON, 3].map(send));
    await deliveredOften(4);
    const done: number[] = [];
    let deaths = 0;
    const handle = async (n: number, crash: () => Promise<never>): Promise<void> => {
      if (n === POISON) {
        deaths++;
        return crash();
      }
      done.push(n);
    };
    for (let over = false; !over;) {
      const one = await processWith(handle, { batch });
      await until(async () => one.died() || (over = await drained()), { what: 'the process dead, or all done' });
      await one.stop();
    }
    expect(deaths).toBe(3);
    expect(new Set(done)).toEqual(new Set([1, 2, 3]));
    const [letter, ...others] = await tester.deadLetters.list({ limit: 10 });
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ subject: `jobs.${POISON}`, reason: 'deadly', code: 'internal' });
    await tester.deadLetters.discard(letter!.sequence);
  }, 60_000);
});

describe('a message delivered very often', () => {
  const delivered = (sequence: number, publishedAt: number): ReceivedDelivery =>
    new ReceivedDelivery({ reply: `$JS.ACK.JOBS.worker-jobs.50.${sequence}.1.${publishedAt}000000.0` } as Msg, 0);

  it('is no dead letter because another, for another handler, ends its process', async () => {
    await send(1);
    await deliveredOften(1);
    await tester.publish('news.deadly', { n: POISON }, { id: 'deadly' });
    let begun = false;
    const slow = async (): Promise<void> => {
      begun = true;
      await new Promise((resolve) => setTimeout(resolve, 400));
    };
    // It ends the process when the other is in hand, if that comes in time.
    const deadly: Handle = async (_, crash) => {
      await until(() => begun, { timeoutMs: 200 }).catch(() => undefined);
      return crash();
    };
    const letters = () => tester.deadLetters.list({ limit: 10 });
    while ((await letters()).length === 0) {
      begun = false;
      const one = await processWith(slow, { news: deadly });
      await until(async () => one.died() || (await letters()).length > 0, {
        what: 'the process dead, or a dead letter',
      });
      await one.stop();
    }
    const found = await letters();
    expect(found).toMatchObject([{ subject: 'news.deadly', reason: 'deadly' }]);
    const last = await processWith(slow);
    await until(drained, { what: 'the innocent done' });
    await last.stop();
    expect(await letters()).toHaveLength(1);
    await tester.deadLetters.discard(found[0]!.sequence);
  }, 60_000);

  it('is not accused of ending a process that stopped while it was in hand', async () => {
    await send(1);
    await deliveredOften(1);
    const marks = async () => (await tester.kv('suspects').all()).filter(({ key }) => key.startsWith('worker-jobs.'));
    const before = (await marks()).length;
    const one = await processWith(() => new Promise(() => undefined));
    await until(async () => one.calls() === 1 && (await marks()).length === before + 1, { what: 'marked and in hand' });
    await one.stop();
    await until(async () => (await marks()).length <= before, { what: 'the mark gone' });
    expect(await marks()).toHaveLength(before);
  });

  it('is handled in batches all the same, as after an outage', async () => {
    const count = 40;
    await Promise.all(Array.from({ length: count }, (_, n) => send(n)));
    await deliveredOften(count);
    const done: number[] = [];
    const one = await processWith(async (n) => void done.push(n), { batch: 10 });
    await until(drained, { what: 'all done' });
    await one.stop();
    expect(new Set(done).size).toBe(count);
    expect(one.calls()).toBeLessThan(count / 2);
  }, 30_000);

  it('is not cleared by one that had its sequence before the stream existed anew', () => {
    const marks = new CrashMarks(suspectsBucket(tester.connection), jobs);
    marks.rememberFailure(delivered(1, 1_000));
    expect(marks.isSuspect(delivered(1, 1_000))).toBe(false);
    expect(marks.isSuspect(delivered(1, 2_000))).toBe(true);
  });
});

describe('a message delivered very often because something is away', () => {
  it('is no dead letter, however many processes had it and were killed for another reason', async () => {
    await send(1);
    await deliveredOften(1);
    for (let n = 0; n < 6; n++) {
      let tries = 0;
      const one = await processWith(async () => {
        tries++;
        throw new TocsinError('unavailable', 'the database is away');
      });
      await until(() => tries >= 2, { what: 'tried twice' });
      await one.stop();
    }
    const done: number[] = [];
    const last = await processWith(async (n) => void done.push(n));
    await until(drained, { what: 'done' });
    await last.stop();
    expect(done).toEqual([1]);
    expect(await tester.deadLetters.list({ limit: 1 })).toEqual([]);
  }, 40_000);
});
