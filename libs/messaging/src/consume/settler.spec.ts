import type { Msg } from '@nats-io/transport-node';
import { TocsinError } from '@tocsin/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetters } from './dead-letters.ts';
import { ReceivedDelivery } from './delivery.ts';
import { FailureCounter } from './failure-counter.ts';
import { Settler } from './settler.ts';
import type { ConsumerDefinition } from './consumer-definition.ts';

const spec = {
  durable: 'worker-jobs',
  stream: 'JOBS',
  filters: ['jobs.>'],
  schema: { parse: (input: unknown) => input },
  ackWaitMs: 2_000,
  maxDeliver: 20,
  backoffMs: [250, 1_000, 60_000],
  maxAckPending: 1_000,
};
const definition: ConsumerDefinition = {
  spec,
  kind: 'event',
  options: {},
  parse: () => undefined,
  handle: async () => undefined,
};
const away = { ok: false as const, error: new TocsinError('unavailable', 'the database is away') };
const boom = { ok: false as const, error: new Error('boom') };

/** What the broker was told of each delivery, in order. */
let told: string[];
let letters: string[];
let bucket: Map<string, unknown>;
let isBucketAway: boolean;
let asked: number;

beforeEach(() => {
  [told, letters, bucket, isBucketAway, asked] = [[], [], new Map(), false, 0];
});

/** One process: it shares no memory with another, only the bucket. */
function process(): Settler {
  const reach = <T>(act: () => T): Promise<T> => {
    asked += 1;
    return isBucketAway ? Promise.reject(new TocsinError('unavailable', 'no answer')) : Promise.resolve(act());
  };
  const marks = {
    get: (key: string) => reach(() => (bucket.has(key) ? { key, value: bucket.get(key), revision: 1 } : undefined)),
    put: (key: string, value: unknown) => reach(() => bucket.set(key, value).size),
  };
  const deadLetters = { add: async (_: unknown, { reason }: { reason: string }) => void letters.push(reason) };
  return new Settler(deadLetters as unknown as DeadLetters, new FailureCounter(marks, spec), definition);
}

/** The nth delivery of a message. */
function delivery(nth: number, sequence = 1): ReceivedDelivery {
  const msg = {
    subject: 'jobs.1',
    reply: `$JS.ACK.JOBS.worker-jobs.${nth}.${sequence}.1.1000000.0`,
    respond: (data: Uint8Array | string) => told.push(typeof data === 'string' ? data : new TextDecoder().decode(data)),
  };
  return new ReceivedDelivery(msg as unknown as Msg, 0);
}

const waits = (): number[] => told.map((text) => Number(/"delay":(\d+)/.exec(text)?.[1]) / 1e6);

describe('a message refused 30 times because something was away', () => {
  it.each(['the same process', 'another process'])('backs off from the first step when it fails in %s', async (who) => {
    const before = process();
    for (let nth = 1; nth <= 30; nth += 1) await before.settle(delivery(nth), away);
    told.length = 0;
    const after = who === 'the same process' ? before : process();
    for (let nth = 31; nth <= 33; nth += 1) await after.settle(delivery(nth), boom);
    expect(waits()).toEqual([250, 1_000, 60_000]);
    expect(letters).toEqual([]);
  });
});

describe('the failures of a message', () => {
  it('add up over processes that come and go, and make a dead letter at the last that is allowed', async () => {
    for (let nth = 1; nth <= 19; nth += 1) await process().settle(delivery(nth), boom);
    expect(letters).toEqual([]);
    await process().settle(delivery(20), boom);
    expect(letters).toEqual(['exhausted']);
  });

  it('are counted in each process alone while the bucket is away', async () => {
    isBucketAway = true;
    const one = process();
    for (let nth = 1; nth <= 19; nth += 1) await one.settle(delivery(nth), boom);
    await process().settle(delivery(20), boom);
    expect(letters).toEqual([]);
    await one.settle(delivery(21), boom);
    expect(letters).toEqual(['exhausted']);
  });

  it('ask a bucket that does not answer once, and not for each message of a batch', async () => {
    isBucketAway = true;
    const one = process();
    for (let sequence = 1; sequence <= 250; sequence += 1) await one.settle(delivery(2, sequence), boom);
    expect(asked).toBe(1);
  });

  it('settle nothing that a drain handed back while they were counted', async () => {
    let ours = true;
    const settled = process().settle(delivery(1), boom, () => ours);
    ours = false;
    await settled;
    expect([told, letters]).toEqual([[], []]);
  });

  it('are told of 200 messages an hour at most', async () => {
    const one = process();
    for (let sequence = 1; sequence <= 300; sequence += 1) await one.settle(delivery(1, sequence), boom);
    expect(bucket.size).toBe(200);
  });
});
