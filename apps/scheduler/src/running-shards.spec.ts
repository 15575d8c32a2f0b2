import { Logger } from '@nestjs/common';
import { monitorSpec } from '@tocsin/contracts';
import { dueAt, gridOf, nextWindow, TocsinError } from '@tocsin/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openWindow, SHARDS, SimulatedScheduler, World } from '../test/world.ts';
import type { ProbedMonitor } from './schedule.ts';

const START = 1_800_000_000_000;
/** Short enough that a round falls between the end of a lease and the time at which anybody may take it. */
const STEP_MS = 200;
const spec = monitorSpec.parse({ kind: 'tcp', name: 'm', interval: '1s', settings: { host: 'localhost', port: 1 } });
const monitor = { id: 'm', revision: 1, createdAt: START, gridSince: START - 60_000, spec } as ProbedMonitor;

let world: World;

/** So many steps of time for these schedulers; they can renew a lease while the leases answer. */
async function run(steps: number, ...schedulers: SimulatedScheduler[]): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    world.now += STEP_MS;
    for (const one of schedulers) {
      if (!world.leasesAway) world.renew(one);
      one.rebalance();
      await Promise.resolve();
    }
    await vi.waitFor(() => expect(schedulers.every(({ atRest }) => atRest)).toBe(true), {
      interval: 1,
      timeout: 10_000,
    });
    for (const one of schedulers) one.running.tick();
  }
}

const isGiven = () => world.stream.has(openWindow(monitor, world.now, START)!);

function nextDue(): number {
  const grid = gridOf(monitor.id, 1_000);
  return dueAt(grid, nextWindow(grid, world.now));
}

beforeEach(() => {
  for (const level of ['log', 'warn'] as const) vi.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  world = new World(START);
});

describe('a monitor that is paused or deleted', () => {
  it('is still checked for the window that fell due before, between two ticks', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    const due = nextDue();
    holder.forget(monitor.id, due + 20);
    world.now = due + 40;
    expect(isGiven()).toBe(true);
    world.now += 1_000;
    holder.running.tick();
    expect(isGiven()).toBe(false);
  });
});

describe('while the leases cannot be asked', () => {
  it('a holder goes on past the end of its lease', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.leasesAway = new TocsinError('unavailable', 'an election');
    for (let step = 0; step < 25; step += 1) {
      await run(1, holder);
      expect(isGiven()).toBe(true);
    }
  });

  it('a holder that stood still meanwhile does not: another may run its shards by now', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.leasesAway = new TocsinError('unavailable', 'an election');
    await run(2, holder);
    world.now += 10_000;
    holder.running.tick();
    expect(isGiven()).toBe(false);
    await run(5, holder);
    expect(isGiven()).toBe(false);
  });

  it('a holder that stood still does not, whatever it looks at first, and though the leases do answer soon', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.now += 10_000;
    world.leasesAway = new TocsinError('unavailable', 'no answer yet');
    holder.rebalance();
    holder.learn({ ...monitor, gridSince: world.now });
    holder.running.tick();
    await vi.waitFor(() => expect(holder.atRest).toBe(true), { interval: 1, timeout: 10_000 });
    holder.running.tick();
    expect(isGiven()).toBe(false);
    world.leasesAway = undefined;
    await run(1, holder);
    expect(holder.running.held).not.toEqual([]);
  });

  it('a holder gives nothing up for another, who could not take it', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    const other = new SimulatedScheduler('b', world, [monitor]);
    world.now += STEP_MS;
    other.rebalance();
    await vi.waitFor(() => expect(other.atRest).toBe(true), { interval: 1, timeout: 10_000 });
    world.leasesAway = new TocsinError('unavailable', 'an election');
    await run(20, holder);
    expect(holder.running.held).toHaveLength(SHARDS);
  });

  it('nobody begins to run a shard whose lease ran out before it could', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    const over = { name: 's', fence: 1, isHeld: () => false, lost: Promise.resolve(''), release: async () => {} };
    await holder.running.gained(0, over);
    expect(holder.running.held).toEqual([]);
  });

  it('a holder whose lease ran out stops as soon as the leases answer again', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.leasesAway = new TocsinError('unavailable', 'an election');
    await run(12, holder);
    world.leasesAway = undefined;
    const other = new SimulatedScheduler('b', world, []);
    world.now += STEP_MS;
    other.rebalance();
    holder.rebalance();
    await vi.waitFor(() => expect(holder.atRest && other.atRest).toBe(true), { interval: 1, timeout: 10_000 });
    expect(holder.running.held).not.toContain(0);
  });
});
