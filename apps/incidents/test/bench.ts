import type { Clock, Confirmation } from '@tocsin/core';
import type { Heartbeat, Monitor, MonitorConfig, Result } from '@tocsin/contracts';
import { Database, migrate, Operations, Outbox } from '@tocsin/database';
import { atTheEnd, postgres, type TestDatabase } from '@tocsin/testing';
import type { FoldOutput } from '../src/states/fold-output.ts';
import { CommandsService } from '../src/commands/commands.service.ts';
import { IncidentStore } from '../src/commands/incident.store.ts';
import type { ConfirmationPublisher } from '../src/fold/confirmation-publisher.ts';
import { FoldService } from '../src/fold/fold.service.ts';
import { HeartbeatsService } from '../src/heartbeats/heartbeats.service.ts';
import { PartitionsService } from '../src/history/partitions.service.ts';
import { RollupsService } from '../src/history/rollups.service.ts';
import { incidentsConfig } from '../src/incidents.config.ts';
import { StatesStore } from '../src/states/states.store.ts';
import { MonitorsService } from '../src/monitors/monitors.service.ts';
import { MonitorsStore } from '../src/monitors/monitors.store.ts';
import { StateSweep } from '../src/sweep/state-sweep.ts';
import { SweepStore } from '../src/sweep/sweep.store.ts';
import { TransitionsStore } from '../src/transitions/transitions.store.ts';

/** A clock that stands where it is put. */
export class TestClock implements Clock {
  constructor(public at = Date.now()) {}
  now(): number {
    return this.at;
  }
  monotonic(): number {
    return this.at;
  }
}

/** Keeps confirmations instead of publishing them: the prober's tests cover what happens to a task. */
class NotedConfirmations implements Pick<ConfirmationPublisher, 'publish'> {
  readonly asked: (Confirmation & { monitorId: string })[] = [];
  publish(asked: FoldOutput['confirmations']): void {
    for (const { monitor, confirmation } of asked) this.asked.push({ monitorId: monitor.monitorId, ...confirmation });
  }
}

/** One instance of the service on a database, without the broker: its parts, wired by hand. */
export class Instance {
  readonly confirmations = new NotedConfirmations();
  readonly outbox = new Outbox();
  readonly fold: FoldService;
  readonly heartbeats: HeartbeatsService;
  readonly monitors: MonitorsService;
  readonly commands: CommandsService;
  readonly operations: Operations;
  readonly states: StateSweep;
  readonly sweeps: SweepStore;
  readonly transitions: TransitionsStore;
  readonly rollups: RollupsService;
  readonly partitions: PartitionsService;

  constructor(
    readonly database: Database,
    readonly clock: TestClock,
  ) {
    this.transitions = new TransitionsStore(database, this.outbox);
    const store = new StatesStore(database, this.outbox, this.transitions, clock);
    const confirmations = this.confirmations as unknown as ConfirmationPublisher;
    this.fold = new FoldService(store, confirmations, clock);
    this.heartbeats = new HeartbeatsService(store, clock);
    this.monitors = new MonitorsService(store, new MonitorsStore(), clock);
    this.operations = new Operations(database, this.outbox, { clock });
    this.commands = new CommandsService(new IncidentStore(), this.operations, this.transitions);
    this.states = new StateSweep(store, confirmations);
    this.sweeps = new SweepStore(database);
    this.rollups = new RollupsService(database, clock);
    this.partitions = new PartitionsService(database, clock, incidentsConfig.parse({}));
  }

  results(...results: Result[]): Promise<void> {
    return this.fold.fold(results.map((data) => ({ data, headers: {}, publishedAt: this.clock.at })));
  }

  pings(...pings: Heartbeat[]): Promise<void> {
    return this.heartbeats.fold(pings.map((data) => ({ data, headers: {}, publishedAt: this.clock.at })));
  }

  config(...configs: MonitorConfig[]): Promise<void> {
    return this.monitors.apply(configs);
  }

  async state(monitor: Pick<Monitor, 'id'>): Promise<Record<string, unknown> | undefined> {
    return (await this.database.query('SELECT * FROM states WHERE monitor_id = $1', [monitor.id]))[0];
  }

  incidentsOf(monitor: Pick<Monitor, 'id'>): Promise<Record<string, unknown>[]> {
    return this.database.query('SELECT * FROM incidents WHERE monitor_id = $1 ORDER BY opened_at, id', [monitor.id]);
  }

  /** The transitions in the outbox of one monitor, in the order in which they were written. */
  async events(monitor: Pick<Monitor, 'id'>): Promise<string[]> {
    const rows = await this.database.query<{ payload: { transition?: string; to?: string; monitorId: string } }>(
      `SELECT payload FROM outbox WHERE payload->>'monitorId' = $1 ORDER BY (payload->>'at')::bigint, ctid`,
      [monitor.id],
    );
    return rows.map(({ payload }) => payload.transition ?? `state ${payload.to}`);
  }
}

/** A fresh, migrated database (by default on the server that the test run shares) and instances of the service on it. */
export async function bench(
  clock = new TestClock(),
  own?: Pick<TestDatabase, 'urlFor'>,
): Promise<{ server: Pick<TestDatabase, 'urlFor'>; instance: () => Instance; clock: TestClock }> {
  const server = own ?? (await postgres());
  const open = (): Database => {
    const database = new Database({ url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'test' });
    atTheEnd(() => database.close());
    return database;
  };
  const first = open();
  await migrate(first, new URL('../migrations/', import.meta.url));
  await new Instance(first, clock).partitions.run();
  return { server, instance: () => new Instance(open(), clock), clock };
}
