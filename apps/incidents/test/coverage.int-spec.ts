import { gridOf, newId, settleMs, windowAt, windowsIn } from '@tocsin/core';
import type { Monitor, MonitorConfig } from '@tocsin/contracts';
import { aMonitor, aMonitorOf, aResult } from '@tocsin/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';
import { CoverageModel, type Plan } from './coverage.model.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface CoverageRow {
  from_at: number;
  until_at: number;
  due: number;
  paused: number;
  ran: number;
  late: number;
  missed: number;
  excused: number;
  pending: number;
}

type Step =
  | { do: 'pass'; ms: number }
  | { do: 'answer'; who: number; back: number; at: number; as: 'ran' | 'late' | 'missed'; gone: boolean }
  | { do: 'edit'; who: number; interval: 5_000 | 30_000 | 300_000; locations: readonly string[] }
  | { do: 'pause'; who: number }
  | { do: 'resume'; who: number }
  | { do: 'delete'; who: number }
  | { do: 'create' }
  | { do: 'hear' }
  | { do: 'sweep' }
  | { do: 'roll up' };

const who = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 12 * MINUTE }) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      who,
      back: fc.integer({ min: 0, max: 40 }),
      at: fc.nat(2),
      as: fc.constantFrom('ran' as const, 'late' as const, 'missed' as const),
      gone: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      who,
      interval: fc.constantFrom(5_000 as const, 30_000 as const, 300_000 as const),
      locations: fc.constantFrom(['a'], ['a', 'b'], ['b', 'c', 'd']),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('create' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('hear' as const, 'sweep' as const, 'roll up' as const) }) },
);

/** Monitors that change while their results come, and what the record hears of it, now or later. */
class World {
  readonly models: CoverageModel[] = [];
  private readonly monitors: (Monitor & { gone?: boolean })[] = [];
  private unheard: MonitorConfig[] = [];

  constructor(
    private readonly one: Instance,
    private readonly clock: TestClock,
  ) {}

  async take(step: Step): Promise<void> {
    // `monitors` gives no two grids the same time.
    this.clock.at += 1;
    if (step.do === 'pass') this.clock.at += step.ms;
    else if (step.do === 'hear') await this.hear();
    else if (step.do === 'sweep') await this.sweep();
    else if (step.do === 'roll up') await this.one.rollups.run();
    else if (step.do === 'create' || this.monitors.length === 0) await this.create();
    else if (step.do === 'answer') await this.answer(step);
    else this.change(step);
  }

  async hear(): Promise<void> {
    await this.one.config(...this.unheard);
    this.unheard = [];
  }

  async sweep(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const { looked } = await this.one.sweeps.markMissed(this.clock.at, 500);
      if (looked === 0) return;
    }
  }

  private async create(): Promise<void> {
    const monitor = aMonitor({ createdAt: this.clock.at, spec: { interval: '30s', locations: ['a'], confirm: false } });
    const model = new CoverageModel(monitor.id);
    model.plans.push({ since: this.clock.at, intervalMs: 30_000, locations: ['a'], as: 'watched' });
    this.monitors.push(monitor);
    this.models.push(model);
    await this.one.config(monitor);
  }

  /** The result of a window of some plan, perhaps long over; twice, as a stream may deliver it. */
  private async answer({ who, back, at, as, gone }: Extract<Step, { do: 'answer' }>): Promise<void> {
    const n = who % this.monitors.length;
    const [monitor, model] = [this.monitors[n]!, this.models[n]!];
    const plans = model.plans.filter((plan) => plan.as === 'watched');
    const plan = gone ? plans.at(-1 - (back % plans.length)) : plans.at(-1);
    if (!plan) return;
    const until = Math.min(this.clock.at, model.plans[model.plans.indexOf(plan) + 1]?.since ?? Infinity);
    const grid = gridOf(monitor.id, plan.intervalMs);
    const window = windowAt(grid, until) - back;
    const dueAt = grid.phaseMs + window * grid.intervalMs;
    const location = plan.locations[at % plan.locations.length]!;
    if (dueAt <= plan.since) return;
    const ran = as === 'missed' ? { finding: undefined, startedAt: undefined } : {};
    const result = aResult({ monitorId: monitor.id, window, dueAt, location, outcome: as, ...ran });
    model.answer(dueAt, location, as);
    await this.one.results(result);
    await this.one.results(result);
  }

  private change(step: Extract<Step, { do: 'edit' | 'pause' | 'resume' | 'delete' }>): void {
    const n = step.who % this.monitors.length;
    const [before, model] = [this.monitors[n]!, this.models[n]!];
    if (before.gone === true) return;
    const at = this.clock.at;
    const revision = before.revision + 1;
    const plan = model.plans.at(-1)!;
    if (step.do === 'delete') {
      this.monitors[n] = { ...before, revision, gone: true };
      this.unheard.push({ id: before.id, revision, deleted: true, at });
      model.plans.push({ ...plan, since: at, as: 'none' });
      return;
    }
    // The rule of `monitors`: an edit of a paused monitor takes effect when it is resumed.
    const paused = step.do === 'edit' ? before.spec.paused : step.do === 'pause';
    const edit = step.do === 'edit' ? { interval: `${step.interval / 1_000}s`, locations: step.locations } : {};
    const spec = { ...before.spec, ...edit, paused } as Monitor['spec'];
    const planned = planOf(spec, at);
    const same = before.spec.paused === paused && (paused || JSON.stringify({ ...planned, since: plan.since }) === JSON.stringify(plan)); // prettier-ignore
    const gridSince = same || paused ? before.gridSince : at;
    const after = { ...before, revision, updatedAt: at, gridSince, spec };
    this.monitors[n] = after;
    this.unheard.push(after);
    if (!same) model.plans.push(planned);
  }
}

function planOf(spec: Monitor['spec'], since: number): Plan {
  if (spec.kind === 'heartbeat') throw new Error('heartbeats have no grid');
  const intervalMs = Number.parseInt(spec.interval, 10) * 1_000;
  return { since, intervalMs, locations: spec.locations, as: spec.paused ? 'paused' : 'watched' };
}

describe('coverage', () => {
  // Late in a day, so that days and hours become complete on the way.
  const clock = new TestClock(Math.floor(Date.now() / DAY) * DAY + 22 * HOUR + 7 * MINUTE);
  let one: Instance;
  const worlds: World[] = [];

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    await one.rollups.run();
  });

  async function coverage(from: number, to: number, id?: string): Promise<CoverageRow> {
    const [row] = await one.database.query<CoverageRow>(
      id === undefined
        ? 'SELECT * FROM coverage_v1($1::bigint, $2::bigint, $3::bigint)'
        : 'SELECT * FROM coverage_of_v1($4::uuid, $1::bigint, $2::bigint, $3::bigint)',
      [from, to, clock.at, ...(id === undefined ? [] : [id])],
    );
    return row!;
  }

  function expectSame(row: CoverageRow, models: readonly CoverageModel[], from: number, to: number): void {
    const until = Math.min(to, clock.at);
    const counts = models.map((model) => model.count(from, until));
    const sum = (key: keyof (typeof counts)[0]) => counts.reduce((total, count) => total + count[key], 0);
    expect({
      due: row.due,
      ran: row.ran,
      late: row.late,
      excused: row.excused + row.paused,
      unanswered: row.missed + row.pending,
    }).toEqual({
      due: sum('due'),
      ran: sum('ran'),
      late: sum('late'),
      excused: sum('excused'),
      unanswered: sum('unanswered'),
    });
    const young = models.flatMap((model) =>
      model.windows(from, until).filter(({ dueAt, end }) => {
        const plan = model.plans.findLast(({ since }) => since < dueAt)!;
        return end === 'unanswered' && dueAt >= clock.at - settleMs(plan.intervalMs);
      }),
    );
    expect(row.pending).toBeLessThanOrEqual(young.length);
  }

  it('is what walking every window one by one says, over any range, whatever was changed meanwhile', async () => {
    const edge = fc.tuple(fc.integer({ min: 0, max: 4 * HOUR }), fc.constantFrom(1, 5 * MINUTE, HOUR, DAY));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 40, maxLength: 120 }),
        fc.array(fc.tuple(edge, edge), { minLength: 4, maxLength: 8 }),
        async (steps, ranges) => {
          const world = new World(one, clock);
          worlds.push(world);
          await one.partitions.run();
          for (const step of steps) await world.take(step);
          for (const other of worlds) await other.hear();
          await world.sweep();
          const models = worlds.flatMap((other) => other.models);
          for (const [[a, alignA], [b, alignB]] of ranges) {
            const [from, to] = [clock.at - a, clock.at - b]
              .map((at, n) => Math.floor(at / (n ? alignB : alignA)) * (n ? alignB : alignA))
              .toSorted((x, y) => x - y) as [number, number];
            for (const model of world.models) expectSame(await coverage(from, to, model.monitorId), [model], from, to);
            expectSame(await coverage(from, to), models, from, to);
          }
        },
      ),
      { numRuns: 10, endOnFailure: true, ...(process.env['SEED'] ? { seed: Number(process.env['SEED']) } : {}) },
    );
    expect(worlds.length).toBeGreaterThanOrEqual(10);
  }, 120_000);

  it('pings have no grid: a heartbeat beside the others changes no sum, and has none of its own', async () => {
    const settings = { schedule: { every: '1m' as const }, grace: '1m' as const };
    const heartbeat = aMonitorOf({ kind: 'heartbeat', name: 'backup', settings }, { createdAt: clock.at });
    await one.partitions.run();
    await one.config(heartbeat);
    const from = clock.at - HOUR;
    const ping = () => one.pings({ monitorId: heartbeat.id, pingId: newId(), signal: 'success', receivedAt: clock.at });
    const settled = async (rollUp: boolean): Promise<void> => {
      for (const other of worlds) await other.sweep();
      if (rollUp) while ((await one.rollups.run()) > 0);
      const { due, paused, ran, late, missed, excused, pending } = await coverage(from, clock.at);
      expect(due - paused - ran - late - missed - excused - pending).toBe(0);
      expect(await one.sweeps.unaccounted(clock.at)).toBe(0);
      const own = await coverage(from, clock.at, heartbeat.id);
      expect(own).toMatchObject({ due: 0, paused: 0, ran: 0, late: 0, missed: 0, excused: 0, pending: 0 });
    };
    for (let n = 0; n < 5; n += 1) {
      await ping();
      clock.at += MINUTE;
    }
    await settled(false);
    clock.at += 10 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    await ping();
    await settled(true);
    // Its bucket changes once more after it was rolled up.
    const at = clock.at;
    clock.at += 10 * MINUTE;
    await settled(true);
    await one.pings({ monitorId: heartbeat.id, pingId: newId(), signal: 'success', receivedAt: at + MINUTE });
    await settled(false);
  }, 60_000);

  it('a window waits for its end as long as its grid says; after that its absence is shown, until it is swept', async () => {
    const monitor = aMonitor({ createdAt: clock.at, spec: { interval: '10s', confirm: false } });
    const from = clock.at + 1;
    await one.config(monitor);
    clock.at += 10 * MINUTE;
    const unaccounted = async (): Promise<number> => {
      const { due, ran, missed, pending } = await coverage(from, clock.at, monitor.id);
      return due - ran - missed - pending;
    };
    const due = windowsIn(gridOf(monitor.id, 10_000), from, clock.at - settleMs(10_000));
    expect(await unaccounted()).toBe(due);
    expect(await one.sweeps.unaccounted(clock.at)).toBeGreaterThanOrEqual(due);
    await one.sweeps.markMissed(clock.at, 500);
    expect(await unaccounted()).toBe(0);
  });

  it('a range whose edges are no longer kept as finely is cut to whole buckets, and says so', async () => {
    await one.partitions.run();
    const start = Math.ceil(clock.at / HOUR) * HOUR;
    clock.at = start - 1;
    const monitor = aMonitor({ createdAt: clock.at, spec: { interval: '1m', confirm: false } });
    await one.config(monitor);
    const { phaseMs } = gridOf(monitor.id, MINUTE);
    const dues = Array.from(
      { length: 180 },
      (_, n) => start + ((phaseMs - (start % MINUTE) + MINUTE) % MINUTE) + n * MINUTE,
    );
    clock.at = start + 3 * HOUR;
    await one.config({ id: monitor.id, revision: 2, deleted: true, at: clock.at - 1 });
    await one.results(
      ...dues.map((dueAt) => aResult({ monitorId: monitor.id, dueAt, window: Math.floor(dueAt / MINUTE) })),
    );
    clock.at += 2 * DAY;
    while ((await one.rollups.run()) > 0);
    const asked = async (from: number, to: number): Promise<number[]> => {
      const row = await coverage(start + from * MINUTE, start + to * MINUTE, monitor.id);
      expect(row.due).toBe(row.ran);
      return [row.from_at, row.until_at].map((at) => (at - start) / MINUTE).concat(row.due);
    };
    expect(await asked(2, 173)).toEqual([2, 173, 171]);
    clock.at += 40 * DAY;
    await one.partitions.run();
    expect(await asked(2, 173)).toEqual([5, 170, 165]);
    expect(await asked(171, 174)).toEqual([174, 174, 0]);
    clock.at += 100 * DAY;
    await one.partitions.run();
    expect(await asked(2, 173)).toEqual([60, 120, 60]);
    const all = await coverage(start + 2 * MINUTE, start + 173 * MINUTE);
    expect([all.from_at, all.until_at]).toEqual([start + HOUR, start + 2 * HOUR]);
    expect(all.ran).toBeGreaterThanOrEqual(60);
  });
});
