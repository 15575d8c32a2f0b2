import { Inject, Injectable } from '@nestjs/common';
import { type AnyMonitor, type MonitorConfig, traitsOf } from '@tocsin/contracts';
import { type Clock, newState, pause, remove, resume, rewatch } from '@tocsin/core';
import type { Transaction } from '@tocsin/database';
import { HandBack } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';
import { FoldOutput } from '../states/fold-output.ts';
import { rescheduled } from '../heartbeats/schedule.ts';
import { isSameSet } from '../fold/audience.ts';
import { StatesStore } from '../states/states.store.ts';
import { hasGrid, type Held, isUnderstood, type KnownMonitor, rulesOf } from '../states/held-monitor.ts';
import { type Ending, MonitorsStore, type NewSpan } from './monitors.store.ts';

/** How soon an instance of a later version is given the chance to take what this one does not understand. */
const LATER_RETRY_MS = 5_000;

/** Keeps this service's picture of the monitors: what deciding needs, their states, and the spans of their grids. */
@Injectable()
export class MonitorsService {
  constructor(
    private readonly store: StatesStore,
    private readonly monitors: MonitorsStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Takes over configurations, each in its turn: a pause that was over before it was heard of was a pause all the same.
   * A revision that is not newer than the known one is ignored.
   * @throws TocsinError while the database is unreachable (to be tried again); HandBack for what only a later version understands:
   * all else is applied then
   */
  async apply(configs: readonly MonitorConfig[]): Promise<void> {
    const understood = configs.filter((config) => 'deleted' in config || isUnderstood(config.spec));
    await this.store.transaction(async (tx) => {
      for (const round of roundsOf(understood)) await this.applyIn(tx, round);
    });
    if (understood.length < configs.length) {
      throw new HandBack(LATER_RETRY_MS, 'a later version has to say what is expected of a monitor of this kind');
    }
  }

  private async applyIn(tx: Transaction, configs: ReadonlyMap<string, MonitorConfig>): Promise<void> {
    const ids = [...configs.keys()].toSorted();
    const before = await this.monitors.lock(tx, ids);
    const applied = await this.monitors.put(tx, [...configs.values()]);
    if (applied.length === 0) return;
    const held = await this.store.lock(tx, applied);
    const work = new Work(this.clock.now());
    for (const id of applied) {
      const config = configs.get(id);
      const known = held.get(id);
      if (!config) continue;
      // Until the change is made, what was known of it before holds: its channels hear of the end, too.
      const former = known && { ...known, monitor: before.get(id) ?? known.monitor };
      if ('deleted' in config) work.delete(former, config.at ?? work.now);
      else if (former) work.change(former, config);
      else work.create(config);
    }
    await this.monitors.create(tx, work.created, work.now);
    await this.store.save(tx, work.output);
    await this.monitors.putSpans(tx, work.spans);
    await this.monitors.putSweeps(tx, work.sweeps);
    await this.monitors.forget(tx, work.deleted);
  }
}

/** The configurations in the order of their revisions, in rounds that hold each monitor once. */
function roundsOf(configs: readonly MonitorConfig[]): Map<string, MonitorConfig>[] {
  const rounds: Map<string, MonitorConfig>[] = [];
  for (const config of configs.toSorted((a, b) => a.revision - b.revision)) {
    const round = rounds.find((one) => !one.has(config.id));
    if (round) round.set(config.id, config);
    else rounds.push(new Map([[config.id, config]]));
  }
  return rounds;
}

/** What a batch of configurations comes to. */
class Work {
  readonly output = new FoldOutput();
  readonly created: Held[] = [];
  readonly deleted: Ending[] = [];
  readonly spans: NewSpan[] = [];
  readonly sweeps: KnownMonitor[] = [];

  constructor(readonly now: number) {}

  create(config: AnyMonitor): void {
    const monitor = knownMonitor(config);
    const waiting = traitsOf(monitor.kind).hasKey ? 'Waiting for the first ping' : undefined;
    const held: Held = { monitor, state: newState(config.id, this.now, waiting), heartbeat: {} };
    this.created.push(held);
    this.output.touch(held);
    if (monitor.paused) this.output.add(held, pause(held.state, this.now));
    this.enter(config, monitor);
  }

  change(held: Held, config: AnyMonitor): void {
    const before = held.monitor;
    const monitor = knownMonitor(config);
    if (before.kind !== monitor.kind) {
      this.output.add(held, rewatch(held.state, monitor.revision, this.now));
      held.heartbeat = {};
    }
    held.monitor = monitor;
    this.output.touch(held);
    if (monitor.paused) this.output.add(held, pause(held.state, this.now));
    else this.output.add(held, resume(held.state, this.now));
    if (!isSameSet(before.rules.channels, monitor.rules.channels))
      this.output.addAudience(held, before.rules.channels, this.now);
    if (before.gridSince !== monitor.gridSince) held.state = { ...held.state, expectedSince: this.now };
    held.state = { ...held.state, locations: onlyThose(held.state.locations, monitor) };
    if (before.paused && !monitor.paused) held.heartbeat = {};
    held.heartbeat = rescheduled(before.rules, monitor.rules, held.heartbeat, held.state.lastDueAt);
    const samePlan = before.gridSince === monitor.gridSince && before.paused === monitor.paused;
    if (!samePlan) this.enter(config, monitor);
    else this.sweeps.push(monitor);
  }

  /** @param lastAt the last moment at which its windows were due */
  delete(held: Held | undefined, lastAt: number): void {
    if (!held) return;
    this.output.add(held, remove(held.state, this.now));
    this.output.states.delete(held.monitor.monitorId);
    this.deleted.push({ monitorId: held.monitor.monitorId, at: lastAt + 1 });
  }

  /** A new span begins: of the present grid, or of a pause. Heartbeats have no grid. */
  private enter(config: AnyMonitor, monitor: KnownMonitor): void {
    this.sweeps.push(monitor);
    const { intervalMs, phaseMs, locations } = monitor.rules;
    const since = monitor.paused ? config.updatedAt : config.gridSince;
    const grid = !hasGrid(monitor) ? undefined : { intervalMs, phaseMs, locations, excused: monitor.paused };
    this.spans.push({ monitorId: config.id, from: since + 1, grid });
  }
}

function knownMonitor(config: AnyMonitor): KnownMonitor {
  const { id, revision, gridSince, spec } = config;
  const { name, kind, paused } = spec;
  return { monitorId: id, revision, deleted: false, name, kind, paused, gridSince, rules: rulesOf(id, spec) };
}

/** What locations say that it is no longer checked from is of no account. */
function onlyThose(locations: Held['state']['locations'], monitor: KnownMonitor): Held['state']['locations'] {
  if (!hasGrid(monitor)) return locations;
  return Object.fromEntries(Object.entries(locations).filter(([name]) => monitor.rules.locations.includes(name)));
}
