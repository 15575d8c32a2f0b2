import { type CheckContext, runCheck } from '@tocsin/checks';
import { httpSettings } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { HandBack } from '@tocsin/messaging';
import { Drain } from '@tocsin/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checker, type RunnableTask } from './checker.ts';
import { EventLoopStall } from './event-loop-stall.ts';

vi.mock('@tocsin/checks', { spy: true });

const TIMEOUT: Awaited<ReturnType<typeof runCheck>> = {
  verdict: 'down',
  reason: 'timeout',
  message: 'timeout after 2 s while reading the body',
  durationMs: 2_000,
  timings: {},
};
const task: RunnableTask = {
  monitorId: newId(),
  revision: 1,
  window: 1,
  location: 'lab',
  attempt: 0,
  dueAt: 0,
  expiresAt: 30_000,
  timeoutMs: 2_000,
  intervalMs: 30_000,
  target: { kind: 'http', settings: httpSettings.parse({ url: 'http://127.0.0.1:9/' }) },
};

let now: number;
let stall: EventLoopStall;
let checker: Checker;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  const clock = { now: () => now, monotonic: () => now };
  stall = new EventLoopStall(clock);
  checker = new Checker({} as ConstructorParameters<typeof Checker>[0], clock, stall, new Drain());
});
afterEach(() => {
  stall.onModuleDestroy();
  vi.useRealTimers();
});

/** A check that runs out of time, while this process stands still for itself and for others. */
function timesOut({ itselfMs, othersMs }: { itselfMs: number; othersMs: number }): Promise<unknown> {
  vi.mocked(runCheck).mockImplementationOnce(async (_, { heldUp }: CheckContext) => {
    now += itselfMs + othersMs;
    if (itselfMs > 0) heldUp?.(itselfMs);
    return TIMEOUT;
  });
  return checker.check(task);
}

describe('a check that ran out of time', () => {
  it('is run elsewhere when its prober stood still for others', async () => {
    await expect(timesOut({ itselfMs: 0, othersMs: 1_000 })).rejects.toBeInstanceOf(HandBack);
  });

  it('says what it found when it was itself that kept its prober busy', async () => {
    expect(await timesOut({ itselfMs: 1_800, othersMs: 0 })).toEqual(TIMEOUT);
  });

  it('says so too when others did a little of that', async () => {
    expect(await timesOut({ itselfMs: 1_400, othersMs: 400 })).toEqual(TIMEOUT);
  });

  it('is run elsewhere when others kept its prober busy as well, for a quarter of its time', async () => {
    await expect(timesOut({ itselfMs: 800, othersMs: 800 })).rejects.toBeInstanceOf(HandBack);
  });
});
