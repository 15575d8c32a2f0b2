import { Logger } from '@nestjs/common';
import { systemClock } from '@tocsin/core';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CREATED, type Handler, LeaseNode, LeaseWorld, running } from '../test/lease-world.ts';
import type { Lease } from './held-lease.ts';

vi.mock('./follow.ts', () => ({
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
const OCCASIONS = 250;
/** A holder does without a tenth of its ttl, so two clocks may differ by a ninth. */
const rate = fc.constantFrom(0.95, 0.97, 1, 1.02, 1.05);
const delay = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 60 }), weight: 12 },
  { arbitrary: fc.integer({ min: 200, max: 2_500 }), weight: 2 },
  { arbitrary: fc.constant(-700), weight: 1 },
);
const story = fc.record({
  rates: fc.tuple(rate, rate, rate),
  delays: fc.array(delay, { minLength: 40, maxLength: 40, size: 'max' }),
  freezes: fc.array(fc.record({ who: fc.nat(2), at: fc.nat(12_000), for: fc.integer({ min: 50, max: 3_000 }) }), {
    maxLength: 5,
    size: 'max',
  }),
  patience: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 5, maxLength: 5 }),
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
    one.node.after(TTL_MS / 8, () => void this.turn(one));
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

  it('at no instant do two of them believe that they hold it, and fences grow from holder to holder', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (of) => {
        const sut = new Struggle(of);
        for (let n = 0; n < OCCASIONS; n += 1) {
          await sut.world.next();
          expect(sut.holders().map(({ node }) => node.name).length).toBeLessThanOrEqual(1);
        }
        expect(sut.fences.length).toBeGreaterThan(0);
        expect(sut.fences).toEqual([...new Set(sut.fences)].toSorted((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });
});
