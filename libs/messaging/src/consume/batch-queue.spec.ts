import { headers, type Msg } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HEADER } from '../wire/names.ts';
import { BatchQueue } from './batch-queue.ts';
import { ReceivedDelivery } from './delivery.ts';

let ready: number;

beforeEach(() => {
  vi.useFakeTimers();
  ready = 0;
});
afterEach(() => vi.useRealTimers());

function delivery(receivedAt: number, o: { urgent?: boolean } = {}): ReceivedDelivery {
  const sent = headers();
  if (o.urgent) sent.set(HEADER.urgent, '1');
  return new ReceivedDelivery({ reply: '$JS.ACK.S.C.1.1.1.1000000.0', headers: sent } as Msg, receivedAt);
}

/** A queue whose worker takes at once what is ready. */
function queueOf(batch: number | undefined, taken: number[][]): BatchQueue {
  const queue = new BatchQueue({ batch, lingerMs: 5 }, () => {
    ready += 1;
    take(queue, taken);
  });
  return queue;
}

function take(queue: BatchQueue, taken: number[][]): void {
  for (let batch = queue.take(); batch; batch = queue.take()) taken.push(batch.map((one) => one.receivedAt));
}

describe('the queue of a worker', () => {
  it('gives out single deliveries at once when no batch is asked for', () => {
    const taken: number[][] = [];
    const queue = queueOf(undefined, taken);
    for (const at of [1, 2]) queue.add(delivery(at));
    take(queue, taken);
    expect(taken).toEqual([[1], [2]]);
  });

  it('gives out full batches at once, and the rest after the linger time', () => {
    const taken: number[][] = [];
    const queue = queueOf(2, taken);
    for (const at of [1, 2, 3]) queue.add(delivery(at));
    take(queue, taken);
    expect(taken).toEqual([[1, 2]]);
    vi.advanceTimersByTime(4);
    expect(ready).toBe(0);
    vi.advanceTimersByTime(1);
    expect(taken).toEqual([[1, 2], [3]]);
  });

  it('gives out an urgent delivery at once, with those that have gathered', () => {
    const taken: number[][] = [];
    const queue = queueOf(10, taken);
    for (const one of [delivery(1), delivery(2, { urgent: true })]) queue.add(one);
    take(queue, taken);
    queue.add(delivery(3));
    take(queue, taken);
    expect(taken).toEqual([[1, 2]]);
  });

  it('lets a batch linger again when the worker could not take it in time', () => {
    const queue = new BatchQueue({ batch: 10 }, () => undefined);
    queue.add(delivery(1));
    queue.take();
    vi.advanceTimersByTime(5);
    expect(queue.take()).toBeUndefined();
  });

  it('gives back, in order, the deliveries that were received too long ago', () => {
    const queue = new BatchQueue({}, () => undefined);
    for (const at of [1, 2, 3]) queue.add(delivery(at));
    expect(queue.removeOlder(3).map((one) => one.receivedAt)).toEqual([1, 2]);
    expect(queue.clear().map((one) => one.receivedAt)).toEqual([3]);
  });
});
