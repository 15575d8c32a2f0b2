import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CREATED, type Handler, LeaseNode, LeaseWorld, running } from '../../test/lease-world.ts';
import type { Lease } from './held-lease.ts';

vi.mock('../client/follow.ts', () => ({
  StreamFollow: class {
    readonly caughtUp = Promise.resolve();
    readonly incarnation = CREATED;
    constructor(connection: { subscribe(handler: Handler): void }, _: unknown, handler: Handler) {
      connection.subscribe(handler);
    }
    start(): Promise<this> {
      return Promise.resolve(this);
    }
  },
}));

const TTL_MS = 1_000;
const OCCASIONS = 400;
/** A holder does without a tenth of its ttl, so two clocks may differ by a ninth. */
const rate = fc.constantFrom(0.95, 0.95, 1, 1.05, 1.05);
const delay = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 6 }), weight: 24 },
  { arbitrary: fc.integer({ min: 60, max: 500 }), weight: 3 },
  { arbitrary: fc.integer({ min: 500, max: 2_500 }), weight: 1 },
  { arbitrary: fc.constant(-700), weight: 1 },
);
const spell = fc.record({ who: fc.nat(2), at: fc.nat(6_000), for: fc.integer({ min: 50, max: 3_000 }) });
const story = fc.record({
  rates: fc.tuple(rate, rate, rate),
  delays: fc.array(delay, { minLength: 40, maxLength: 40, size: 'max' }),
  freezes: fc.array(spell, { maxLength: 5, size: 'max' }),
  cuts: fc.array(spell, { maxLength: 8, size: 'max' }),
  patience: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 5, maxLength: 5 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

interface Member {
  node: LeaseNode;
  lease: Lease | undefined;
  turns: number;
}

/** Three processes that want one lease, hold it for a while, and release it. */
class Struggle {
  readonly members: Member[];
  readonly fences: number[] = [];
  readonly world: LeaseWorld;

  constructor(private readonly of: Story) {
    this.world = new LeaseWorld(of.delays);
    this.members = of.rates.map((one, n) => ({
      node: new LeaseNode(`n${n}`, this.world, one),
      lease: undefined,
      turns: 0,
    }));
    for (const { who, at, for: ms } of of.freezes) {
      const { node } = this.members[who]!;
      this.world.at(at, undefined, () => (node.frozenUntil = Math.max(node.frozenUntil, at + ms)));
    }
    for (const { who, at, for: ms } of of.cuts) {
      const { node } = this.members[who]!;
      this.world.at(at, undefined, () => (node.cutUntil = Math.max(node.cutUntil, at + ms)));
    }
    for (const [n, one] of this.members.entries()) this.world.at(n * 7, one.node, () => void this.turn(one));
  }

  /** The processes that act under the lease now: a frozen one does not. */
  holders(): Member[] {
    const awake = this.members.filter(({ node }) => node.frozenUntil <= this.world.now);
    return awake.filter(({ node, lease }) => running.run(node, () => lease?.isHeld() ?? false));
  }

  private async turn(one: Member): Promise<void> {
    one.turns += 1;
    try {
      if (!one.lease?.isHeld()) {
        one.lease = await one.node.leases.acquire('it', { holder: one.node.name, ttlMs: TTL_MS });
        if (one.lease?.isHeld()) this.fences.push(one.lease.fence);
      } else if (one.turns % this.of.patience[one.turns % this.of.patience.length]! === 0) await one.lease.release();
    } catch {
      // Not answered: it tries again.
    }
    one.node.after(TTL_MS / 25, () => void this.turn(one));
  }
}

describe('one lease, several processes, clocks of different speed, messages that take their time', () => {
  const { setTimeout: realTimeout, clearTimeout: realClear } = globalThis;

  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
  beforeEach(() => {
    vi.spyOn(systemClock, 'monotonic').mockImplementation(() => running.getStore()?.clock ?? 0);
    vi.stubGlobal('setTimeout', (run: () => void, ms: number) => {
      const node = running.getStore();
      return node ? node.after(ms, run) : realTimeout(run, ms);
    });
    vi.stubGlobal('clearTimeout', (timer: { cancel?: () => void } | undefined) =>
      timer?.cancel ? timer.cancel() : realClear(timer as NodeJS.Timeout | undefined),
    );
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  /** Names who believes to hold it after each occasion. */
  async function watch(sut: Struggle): Promise<string[][]> {
    const holders: string[][] = [];
    for (let n = 0; n < OCCASIONS; n += 1) {
      await sut.world.next();
      holders.push(sut.holders().map(({ node }) => node.name));
    }
    return holders;
  }

  it('at no instant do two of them believe that they hold it, and fences grow from holder to holder', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (of) => {
        const sut = new Struggle(of);
        const holders = await watch(sut);
        expect(holders.filter(({ length }) => length > 1)).toEqual([]);
        expect(sut.fences.length).toBeGreaterThan(0);
        expect(sut.fences).toEqual([...new Set(sut.fences)].toSorted((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('a holder that reaches nobody, its clock a tenth slower, lets go before another takes it', async () => {
    const cuts = [{ who: 0, at: 1_500, for: 60_000 }];
    const of: Story = { rates: [0.95, 1.05, 1.05], delays: [1], freezes: [], cuts, patience: [9_999] };
    const holders = await watch(new Struggle(of));
    expect(holders.filter(({ length }) => length > 1)).toEqual([]);
    expect(holders[60]).toEqual(['n0']);
    expect(holders.at(-1)).not.toEqual(['n0']);
    expect(holders.at(-1)).toHaveLength(1);
  });

  it('an answer that took long counts from when it was asked for, so that nobody is overtaken by it', async () => {
    const cuts = [{ who: 0, at: 700, for: 60_000 }];
    const of: Story = { rates: [1, 1, 1], delays: [1], freezes: [], cuts, patience: [9_999] };
    const sut = new Struggle(of);
    sut.members[0]!.node.answersMs = TTL_MS / 5;
    const holders = await watch(sut);
    expect(holders.filter(({ length }) => length > 1)).toEqual([]);
    expect(holders.at(-1)).toHaveLength(1);
  });
});
