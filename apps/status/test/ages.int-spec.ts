import { Cache } from '@tocsin/cache';
import { TocsinError } from '@tocsin/core';
import { atTheEnd, redisServer, until } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Answers } from '../src/answers.ts';
import { CoverageReports } from '../src/coverage.ts';
import type { Records } from '../src/records.ts';
import { States } from '../src/states.ts';

const MINUTE = 60_000;
const RANGE = { from: 0, to: 600 * MINUTE };

describe('the age of an answer', () => {
  let shiftMs: number;
  const clock = { now: () => Date.now() + shiftMs, monotonic: () => performance.now() };
  /** What the database holds, and why it gives nothing. */
  let ran: number;
  let failure: Error | undefined;
  /** Whether counting windows takes for ever. */
  let slow: boolean;
  let coverage: CoverageReports;
  let states: States;

  beforeEach(async () => {
    [shiftMs, ran, failure, slow] = [0, 1, undefined, false];
    const cache = new Cache({ url: (await redisServer()).url, namespace: `ages ${Math.random()}`, clock });
    atTheEnd(() => cache.close());
    // Memory is believed once the bus has proved that it delivers.
    const probe = () => cache.get('probe', async () => 1, { ttlMs: MINUTE, staleMs: 0 });
    await until(async () => (await probe()).ageMs > 0, { what: 'the cache to keep what it loads' });
    const records = { read: (name: string) => read(name) } as unknown as Records;
    const answers = new Answers(cache, { staleMs: 60 * MINUTE }, clock);
    coverage = new CoverageReports(records, answers, clock);
    states = new States(records, answers, coverage, clock);
  });

  async function read(name: string): Promise<unknown[]> {
    await Promise.resolve();
    if (failure !== undefined) throw failure;
    if (name === 'summary states') return [{ state: 'up', n: ran }];
    if (name !== 'coverage') return [];
    if (slow) return new Promise(() => undefined);
    return [{ from_at: 0, until_at: 1, due: ran, paused: 0, ran, late: 0, missed: 0, excused: 0, pending: 0 }];
  }

  it('is of the present where nothing fails, however long ago the same was asked', async () => {
    expect(await coverage.report(RANGE)).toMatchObject({ coverage: { ran: 1 } });
    [shiftMs, ran] = [50 * MINUTE, 2];
    expect(await coverage.report(RANGE)).toMatchObject({ coverage: { ran: 2 }, stale: false });
  });

  it('is never called stale of 2,000 where nothing fails, however often it is older than its time', async () => {
    const asks = [() => states.list({ limit: 10 }), () => states.summary(), () => coverage.report(RANGE)];
    let [marked, reloaded] = [0, 0];
    for (let n = 0; n < 2_000; n += 1) {
      shiftMs += 40;
      const { stale, ageMs } = await asks[n % asks.length]!();
      marked += stale ? 1 : 0;
      reloaded += ageMs === 0 ? 1 : 0;
    }
    expect(marked).toBe(0);
    expect(reloaded).toBeGreaterThan(0);
  });

  it('is called stale as soon as a reload has failed, however young it is', async () => {
    await states.list({ limit: 10 });
    [shiftMs, failure] = [3_000, new TocsinError('unavailable', 'the database is away')];
    await states.list({ limit: 10 });
    const told = async () => (await states.list({ limit: 10 })).stale;
    await until(told, { what: 'the failed reload to be told of' });
    failure = undefined;
    shiftMs = 20_000;
    await until(async () => !(await told()), { what: 'a new value' });
    expect(await states.list({ limit: 10 })).toMatchObject({ stale: false });
  });

  it('may be that of the outage while the database is away', async () => {
    await coverage.report(RANGE);
    [shiftMs, failure] = [50 * MINUTE, new TocsinError('unavailable', 'the database is away')];
    const { ageMs, ...answer } = await coverage.report(RANGE);
    expect(answer).toMatchObject({ coverage: { ran: 1 }, stale: true });
    expect(ageMs).toBeGreaterThanOrEqual(50 * MINUTE);
  });

  it('is for the summary that of its last hour, which is kept for longer than the rest', async () => {
    await states.summary();
    // The counts are loaded anew, the hour is taken from the cache: first still fresh, then while it is reloaded.
    [shiftMs, ran] = [10_000, 2];
    const fresh = await states.summary();
    expect(fresh).toMatchObject({ coverage: { ran: 1 }, stale: false });
    expect(fresh.ageMs).toBeGreaterThanOrEqual(10_000);
    shiftMs = 17_500;
    const old = await states.summary();
    expect(old).toMatchObject({ coverage: { ran: 1 }, stale: false });
    expect(old.ageMs).toBeGreaterThanOrEqual(17_500);
    shiftMs = 40_000;
    const renewed = await states.summary();
    expect(renewed).toMatchObject({ coverage: { ran: 2 } });
    expect(renewed.ageMs).toBeLessThan(10_000);
  });

  it('does not keep the counts of the summary back while its last hour takes too long', async () => {
    await states.summary();
    [shiftMs, ran, slow] = [50 * MINUTE, 2, true];
    const found = await until(
      async () => {
        const summary = await states.summary();
        return summary.monitors === 2 && summary;
      },
      { what: 'the new counts', timeoutMs: 2_000 },
    );
    expect(found).toMatchObject({ coverage: { ran: 1 }, stale: true });
  });
});
