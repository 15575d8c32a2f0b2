import { monitorSpec } from '@tocsin/contracts';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openWindow, SimulatedScheduler, World } from '../test/world.ts';
import type { ProbedMonitor } from './schedule.ts';

const START = 1_800_000_000_000;
const STEP_MS = 250;
const STEPS = 100;
const INTERVALS = ['1s', '2s', '5s', '10s', '30s', '1m', '1h'];

function aMonitor(n: number, interval: string, gridSince = START - 60_000, revision = 1): ProbedMonitor {
  const spec = monitorSpec.parse({ kind: 'tcp', name: `m${n}`, interval, settings: { host: 'localhost', port: 1 } });
  return { id: `m${n}`, revision, createdAt: START, updatedAt: gridSince, gridSince, spec } as ProbedMonitor;
}

/** What happens to one of the schedulers at a step, and for how many steps. */
interface Event {
  step: number;
  who: number;
  what: 'kill' | 'stop' | 'freeze' | 'clock' | 'slow' | 'edit';
  size: number;
  steps: number;
}

function events(...what: Event['what'][]): fc.Arbitrary<Event[]> {
  const one = fc.record({
    step: fc.integer({ min: 1, max: STEPS }),
    who: fc.nat(2),
    what: fc.constantFrom(...what),
    size: fc.integer({ min: 0, max: 1_000 }),
    steps: fc.integer({ min: 1, max: 30 }),
  });
  return fc.array(one, { maxLength: 14, size: 'max' });
}

const latency = fc.constantFrom(0, 300, 900);

/** Three schedulers over one world; what was killed or stopped comes back under a new name. */
class Simulation {
  readonly world = new World(START);
  readonly monitors = INTERVALS.map((interval, n) => aMonitor(n, interval));
  readonly schedulers: SimulatedScheduler[];
  private starts = 0;
  private later: { step: number; run: () => void }[] = [];

  /** @param latencyMs how long what they send is on its way */
  constructor(private readonly latencyMs = 0) {
    this.schedulers = [0, 1, 2].map((n) => this.start(`s${n}`));
  }

  async run(script: readonly Event[]): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      this.world.now += STEP_MS;
      this.world.deliver();
      for (const one of this.later.filter((late) => late.step === step)) one.run();
      for (const event of script.filter((at) => at.step === step)) this.happen(event, step);
      await this.turn(step);
    }
  }

  private async turn(step: number): Promise<void> {
    const awake = this.schedulers.filter(({ dead, frozen }) => !dead && !frozen);
    for (const one of awake) {
      this.world.renew(one);
      one.rebalance();
    }
    await vi.advanceTimersByTimeAsync(STEP_MS);
    for (const one of awake.filter(({ dead }) => !dead)) {
      one.running.tick();
      this.expectGiven(one);
      if (step % 4 === 0) void one.running.recordWatermarks();
    }
  }

  /** Who knows the time and holds a shard has given out whatever of it is open now, or found it given out. */
  private expectGiven(one: SimulatedScheduler): void {
    if (one.clockOff !== 0) return;
    for (const monitor of this.monitors) {
      if (one.monitors.get(monitor.id) !== monitor) continue; // it has not heard of the change yet
      const runs = one.runsSince(monitor.id) !== undefined;
      const open = runs ? openWindow(monitor, this.world.now, START) : undefined;
      if (open !== undefined && !one.hasGiven(open)) throw new Error(`${one.name} has not given out ${open}`);
    }
  }

  private happen({ who, what, size, steps }: Event, step: number): void {
    const one = this.schedulers[who]!;
    const until = (run: () => void): void => void this.later.push({ step: step + steps, run });
    if (what === 'edit') return this.edit(size, step);
    if (one.dead || one.stopping) return;
    if (what === 'kill') {
      one.dead = true;
      until(() => (this.schedulers[who] = this.start(`s${who}`)));
    } else if (what === 'stop') {
      void one.stop().then(() => until(() => (this.schedulers[who] = this.start(`s${who}`))));
    } else if (what === 'freeze') {
      one.frozen = true;
      until(() => (one.frozen = false));
    } else if (what === 'slow') {
      one.latencyMs = size;
      until(() => (one.latencyMs = this.latencyMs));
    } else {
      // Seconds or hours, ahead or behind; then somebody sets it right.
      one.clockOff = (size % 2 === 0 ? 1 : -1) * (size % 3 === 0 ? size * 3_600 : size * 20);
      until(() => (one.clockOff = 0));
    }
  }

  /** Everybody hears of a changed interval, each in its own time. */
  private edit(size: number, step: number): void {
    const n = size % this.monitors.length;
    const { revision, gridSince } = this.monitors[n]!;
    if (gridSince === this.world.now) return;
    const interval = INTERVALS[(n + revision) % INTERVALS.length]!;
    const monitor = aMonitor(n, interval, this.world.now, revision + 1);
    this.monitors[n] = monitor;
    this.schedulers.forEach((one, who) => {
      if ((size + who) % 2 === 0 && !one.frozen) this.hear(one, monitor);
      else this.tell(one, monitor, step + ((size + who) % 3));
    });
  }

  /** What a frozen scheduler is told it hears when it wakes up. */
  private tell(one: SimulatedScheduler, monitor: ProbedMonitor, step: number): void {
    const hear = (): void => (one.frozen ? this.tell(one, monitor, step + 1) : this.hear(one, monitor));
    this.later.push({ step: step + 1, run: hear });
  }

  private hear(one: SimulatedScheduler, monitor: ProbedMonitor): void {
    const before = one.monitors.get(monitor.id);
    if (one.dead || (before && before.revision >= monitor.revision)) return;
    const runs = (one.runsSince(monitor.id) ?? Infinity) < monitor.gridSince && one.clockOff === 0;
    one.learn(monitor);
    const owed = before && runs ? openWindow(before, monitor.gridSince, START) : undefined;
    if (owed !== undefined && !one.hasGiven(owed)) throw new Error(`${one.name} owes ${owed} of the former grid`);
  }

  private start(name: string): SimulatedScheduler {
    this.starts += 1;
    return new SimulatedScheduler(`${name}-${this.starts}`, this.world, this.monitors, this.latencyMs);
  }
}

describe('schedulers that come and go', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => vi.useRealTimers());

  it('every window that is open while its shard is held is given out, whether schedulers are killed, frozen, slow or stopped', async () => {
    await fc.assert(
      fc.asyncProperty(events('kill', 'stop', 'freeze', 'slow', 'edit'), latency, async (script, usual) => {
        const sut = new Simulation(usual);
        await sut.run(script);
        expect(sut.world.stream.size).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  it('a clock that steps, ahead or back, costs no window once it is right again', async () => {
    await fc.assert(
      fc.asyncProperty(events('clock', 'clock', 'kill', 'freeze', 'slow', 'edit'), latency, async (script, usual) => {
        const sut = new Simulation(usual);
        await sut.run(script);
        expect(sut.world.stream.size).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  it('a handover in order repeats nothing: each window is in the stream once', async () => {
    await fc.assert(
      fc.asyncProperty(events('stop'), async (script) => {
        const sut = new Simulation();
        await sut.run(script);
        expect([...sut.world.stream.values()].every((times) => times === 1)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
