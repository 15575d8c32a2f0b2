import type { Msg } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HandBack, type Messaging } from '../src/index.ts';
import { ReceivedDelivery } from '../src/delivery.ts';
import { Suspects } from '../src/suspects.ts';
import { Worker } from '../src/worker.ts';
import { client, type Job, jobs } from './harness.ts';

const ACK_WAIT_MS = 300;
const POISON = 13;

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

/** A process that takes jobs, in batches or one by one; `crash` ends it as a kill would, in the midst of its work. */
async function processWith(handle: (n: number, crash: () => Promise<never>) => Promise<void>, batch?: number) {
  const messaging = await client(url);
  const spec = { ...jobs, ackWaitMs: ACK_WAIT_MS };
  await messaging.topology.keep(spec);
  let dead = false;
  const crash = async (): Promise<never> => {
    dead = true;
    await messaging.connection.nats.close();
    return new Promise<never>(() => undefined);
  };
  const worker = new Worker(messaging.connection, messaging.deadLetters, {
    spec,
    kind: 'event',
    options: batch === undefined ? { concurrency: 8 } : { batch },
    parse: (delivery) => delivery.msg.json(),
    handle: async (data) => {
      const all = batch === undefined ? [data as Job] : (data as { data: Job }[]).map((one) => one.data);
      for (const { n } of all) if (!dead) await handle(n, crash);
      if (dead) await new Promise(() => undefined);
    },
  });
  worker.start();
  return { died: () => dead, stop: () => worker.drain(0) };
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
      const one = await processWith(handle, batch);
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

  it('is not cleared by one that had its sequence before the stream existed anew', () => {
    const suspects = new Suspects(tester.connection, jobs);
    suspects.survived(delivered(1, 1_000));
    expect(suspects.isSuspect(delivered(1, 1_000))).toBe(false);
    expect(suspects.isSuspect(delivered(1, 2_000))).toBe(true);
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
