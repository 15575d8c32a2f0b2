import type { Clock } from '@tocsin/core';
import { dueAt, durationMs, gridOf, shardOf, windowAt } from '@tocsin/core';
import type { Lease, Leases, LeaseView } from '@tocsin/messaging';
import type { PlatformConfig } from '@tocsin/service';
import type { TaskPublisher } from '../src/task-publisher.ts';
import type { MonitorFeed } from '../src/monitor-feed.ts';
import { RunningShards } from '../src/running-shards.ts';
import type { DueWindow, ProbedMonitor } from '../src/schedule.ts';
import type { SchedulerConfig } from '../src/scheduler.config.ts';
import { ShardHolder } from '../src/shard-holder.ts';
import type { Watermarks } from '../src/watermarks.ts';

export const SHARDS = 2;
const LEASE_TTL_MS = 2_000;
/** A holder does without the last tenth of its lease. */
const HELD_MS = LEASE_TTL_MS * 0.9;

interface Holding {
  name: string;
  owner: SimulatedScheduler;
  fence: number;
  takenAt: number;
  renewedAt: number;
  over: boolean;
}

/** What lies between the schedulers, with a time that only the test moves: leases, watermarks and the stream. */
export class World {
  readonly leases = new Map<string, Holding>();
  /** All shards were run before, up to the beginning. */
  readonly watermarks = new Map<number, number>();
  /** Every window that is in the stream, by id, and how often it was put there. */
  readonly stream = new Map<string, number>();
  /** What was sent and arrives later. */
  private onTheWay: { at: number; from: SimulatedScheduler; arrive: () => void; gone: () => void }[] = [];
  private fences = 0;
  /** While set, the leases can't be asked; what was seen of them before is in memory. */
  leasesAway: Error | undefined;

  constructor(
    readonly began: number,
    public now = began,
  ) {
    for (let shard = 0; shard < SHARDS; shard += 1) this.watermarks.set(shard, began);
  }

  asked<T>(answer: () => T): Promise<T> {
    return this.leasesAway ? Promise.reject(this.leasesAway) : Promise.resolve(answer());
  }

  send(from: SimulatedScheduler, delayMs: number, arrive: () => void, gone: () => void = () => undefined): void {
    this.onTheWay.push({ at: this.now + delayMs, from, arrive, gone });
  }

  /** What a killed scheduler had sent is lost; a frozen one's stays in its buffers. */
  deliver(): void {
    const all = this.onTheWay;
    this.onTheWay = [];
    for (const one of all) {
      if (one.from.dead) one.gone();
      else if (one.at > this.now || one.from.frozen) this.onTheWay.push(one);
      else one.arrive();
    }
  }

  isFree(name: string): boolean {
    const known = this.leases.get(name);
    return !known || this.now - known.renewedAt >= LEASE_TTL_MS;
  }

  acquire(owner: SimulatedScheduler, name: string): Lease | undefined {
    if (owner.dead || !this.isFree(name)) return undefined;
    const times = { takenAt: this.now, renewedAt: this.now };
    const holding: Holding = { name, owner, fence: (this.fences += 1), ...times, over: false };
    this.leases.set(name, holding);
    return {
      name,
      fence: holding.fence,
      isHeld: () => !holding.over && this.now - holding.renewedAt < HELD_MS,
      lost: new Promise<string>(() => undefined),
      release: () => {
        holding.over = true;
        if (!owner.dead && this.leases.get(name) === holding) this.leases.delete(name);
        return Promise.resolve();
      },
    };
  }

  renew(owner: SimulatedScheduler): void {
    for (const one of this.leases.values()) {
      if (one.owner === owner && !one.over && this.now - one.renewedAt < HELD_MS) one.renewedAt = this.now;
    }
  }

  list(): LeaseView[] {
    return [...this.leases.values()].map(({ name, owner, fence, renewedAt }) => ({
      name,
      holder: owner.name,
      fence,
      expired: this.now - renewedAt >= LEASE_TTL_MS,
      heard: true,
    }));
  }
}

/** The real rules of one scheduler over the simulated world. */
export class SimulatedScheduler {
  dead = false;
  frozen = false;
  stopping = false;
  /** How far its wall clock is off. */
  clockOff = 0;
  /** How long what it sends is on its way. */
  latencyMs = 0;
  readonly monitors = new Map<string, ProbedMonitor>();
  readonly inFlight = new Set<string>();
  readonly running: RunningShards;
  private readonly holder: ShardHolder;
  private round: Promise<void> | undefined;

  constructor(
    readonly name: string,
    readonly world: World,
    monitors: Iterable<ProbedMonitor>,
    usualLatencyMs = 0,
  ) {
    this.latencyMs = usualLatencyMs;
    for (const monitor of monitors) this.monitors.set(monitor.id, monitor);
    const clock: Clock = { now: () => world.now + this.clockOff, monotonic: () => world.now };
    // As the real ones: only what is free by one's own clock is asked for, and the list is what was heard.
    const leases = {
      acquire: (lease: string) =>
        world.isFree(lease) ? world.asked(() => world.acquire(this, lease)) : Promise.resolve(undefined),
      list: () => Promise.resolve(world.list()),
      checkWritable: () => world.asked(() => undefined),
    };
    const config = { instance: name, shards: SHARDS, leaseTtlMs: LEASE_TTL_MS };
    const feed = {
      shardOf: shardNumber,
      ofShard: (shard: number) => [...this.monitors.values()].filter(({ id }) => shardNumber(id) === shard),
    };
    const tasks = { publishDue: (due: DueWindow) => this.publishDue(due), checkNow: () => Promise.resolve() };
    const watermarks = {
      read: (shard: number) => Promise.resolve(world.watermarks.get(shard)),
      write: (shard: number, at: number) => this.write(shard, at),
    };
    this.holder = new ShardHolder(leases as unknown as Leases, config as SchedulerConfig & PlatformConfig, clock);
    this.running = new RunningShards(
      feed as unknown as MonitorFeed,
      tasks as Partial<TaskPublisher> as TaskPublisher,
      watermarks as Partial<Watermarks> as Watermarks,
      clock,
    );
  }

  /** Joins, takes and gives up, unless the last round is not over yet. */
  rebalance(): void {
    if (this.stopping) return;
    // What can't be asked is asked again in the next round.
    this.round ??= this.holder
      .round(this.running)
      .catch(() => undefined)
      .finally(() => (this.round = undefined));
  }

  /** Whether no round is under way. */
  get atRest(): boolean {
    return this.round === undefined;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.round;
    await this.holder.stop(this.running);
    this.dead = true;
  }

  learn(monitor: ProbedMonitor): void {
    this.monitors.set(monitor.id, monitor);
    this.running.change({ monitorId: monitor.id, monitor, at: monitor.updatedAt, fresh: true });
  }

  /** Hears that a monitor was deleted or paused. */
  forget(monitorId: string, at: number): void {
    this.monitors.delete(monitorId);
    this.running.change({ monitorId, monitor: undefined, at, fresh: true });
  }

  /** Since when it has run a monitor's shard; undefined where it does not. */
  runsSince(monitorId: string): number | undefined {
    const shard = shardNumber(monitorId);
    const lease = this.world.leases.get(`scheduler.shard.${shard}`);
    const held = lease?.owner === this && this.world.now - lease.renewedAt < HELD_MS;
    return held && this.running.held.includes(shard) ? lease.takenAt : undefined;
  }

  /** Whether a window is in the stream, or on its way there from this very scheduler. */
  hasGiven(id: string): boolean {
    return this.world.stream.has(id) || this.inFlight.has(id);
  }

  private publishDue({ monitor, window, dueAt: due }: DueWindow): Promise<void> {
    const grid = gridOf(monitor.id, durationMs(monitor.spec.interval));
    if (due !== dueAt(grid, window)) throw new Error(`window ${window} is not due at ${due}`);
    if (due <= monitor.gridSince) throw new Error(`window ${window} is of before its grid`);
    const id = idOf(monitor, window);
    this.inFlight.add(id);
    return new Promise((resolve) => {
      const arrive = (): void => {
        this.world.stream.set(id, (this.world.stream.get(id) ?? 0) + 1);
        this.inFlight.delete(id);
        resolve();
      };
      if (this.latencyMs === 0) arrive();
      else this.world.send(this, this.latencyMs, arrive);
    });
  }

  private write(shard: number, at: number): Promise<void> {
    return new Promise((resolve) => {
      const arrive = (): void => {
        this.world.watermarks.set(shard, at);
        resolve();
      };
      if (this.dead) return;
      // Watermarks go another way than tasks do: those of one shard are quicker, those of the other slower.
      if (this.latencyMs === 0 || shard % 2 === 0) arrive();
      else this.world.send(this, this.latencyMs * 2, arrive, resolve);
    });
  }
}

function shardNumber(monitorId: string): number {
  return shardOf(monitorId, SHARDS);
}

/** The id under which every scheduler publishes the tasks of a window. */
function idOf(monitor: ProbedMonitor, window: number): string {
  return `${monitor.id}/${monitor.gridSince}/${window}`;
}

/** The window of a monitor that is open at a time, unless it fell due before the monitor's grid, or the world, began. */
export function openWindow(monitor: ProbedMonitor, at: number, began: number): string | undefined {
  const grid = gridOf(monitor.id, durationMs(monitor.spec.interval));
  const window = windowAt(grid, at);
  return dueAt(grid, window) > Math.max(monitor.gridSince, began) ? idOf(monitor, window) : undefined;
}
