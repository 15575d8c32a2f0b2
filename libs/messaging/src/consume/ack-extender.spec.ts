import type { Msg } from '@nats-io/transport-node';
import { systemClock } from '@tocsin/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AckExtender } from './ack-extender.ts';
import { ReceivedDelivery } from './delivery.ts';

let now: number;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  vi.spyOn(systemClock, 'monotonic').mockImplementation(() => now);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  for (let n = 0; n < ms; n += 100) {
    now += 100;
    vi.advanceTimersByTime(100);
  }
}

function heldBy(limits: { ackWaitMs: number; timeoutMs: number }) {
  const respond = vi.fn<() => boolean>(() => true);
  const delivery = new ReceivedDelivery({ reply: '$JS.ACK.S.C.1.1.1.1000000.0', respond } as unknown as Msg, 0);
  delivery.startedAt = 0;
  const acks = new AckExtender(new Set([delivery]), limits, () => undefined);
  acks.start();
  return { acks, delivery, respond };
}

describe('a delivery that a handler works on', () => {
  it('has its ack wait extended each time that a third of it has passed', () => {
    const { respond } = heldBy({ ackWaitMs: 600, timeoutMs: 60_000 });
    pass(600);
    expect(respond).toHaveBeenCalledTimes(3);
  });

  it('is aborted after the timeout of its handler, and extended no more', () => {
    const { delivery, respond } = heldBy({ ackWaitMs: 600, timeoutMs: 500 });
    pass(600);
    expect(delivery.signal.aborted).toBe(true);
    const extended = respond.mock.calls.length;
    pass(600);
    expect(respond).toHaveBeenCalledTimes(extended);
  });
});
