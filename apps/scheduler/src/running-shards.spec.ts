import { Logger } from '@nestjs/common';
import { monitorSpec } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openWindow, SimulatedScheduler, World } from '../test/world.ts';
import type { ProbedMonitor } from './schedule.ts';

const START = 1_800_000_000_000;
const STEP_MS = 250;
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
    await vi.waitFor(() => expect(schedulers.every(({ atRest }) => atRest)).toBe(true), { interval: 1 });
    for (const one of schedulers) one.running.tick();
  }
}

const isGiven = () => world.stream.has(openWindow(monitor, world.now, START)!);

beforeEach(() => {
  for (const level of ['log', 'warn'] as const) vi.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  world = new World(START);
});

describe('while the leases cannot be asked', () => {
  it('a holder goes on past the end of its lease', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.leasesAway = new TocsinError('unavailable', 'an election');
    await run(20, holder);
    expect(isGiven()).toBe(true);
  });

  it('a holder that stood still meanwhile does not: another may run its shards by now', async () => {
    const holder = new SimulatedScheduler('a', world, [monitor]);
    await run(8, holder);
    world.leasesAway = new TocsinError('unavailable', 'an election');
    await run(2, holder);
    world.now += 10_000;
    holder.running.tick();
    expect(isGiven()).toBe(false);
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
    await vi.waitFor(() => expect(holder.atRest && other.atRest).toBe(true), { interval: 1 });
    expect(holder.running.held).not.toContain(0);
  });
});
