import { AsyncLocalStorage } from 'node:async_hooks';
import type { Monitor, Result } from '@tocsin/contracts';
import { type DecidedChange, decide, dueAt, gridOf, nextWindow, TocsinError } from '@tocsin/core';
import { Database, type Transaction, type TransactionOptions } from '@tocsin/database';
import { aMonitor, aResult, atTheEnd } from '@tocsin/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { StatesStore } from '../src/states/states.store.ts';
import type { Held } from '../src/states/held-monitor.ts';
import { bench, Instance, TestClock } from './bench.ts';

const INTERVAL = 10_000;
const MONITORS = 5;
const WINDOWS = 16;
const INSTANCES = 3;

/** What becomes of the instance that folds a batch. */
type Fate = 'fine' | 'killed before commit' | 'killed at commit' | 'killed before the ack';
interface Batch {
  n: number;
  results: Result[];
  fate: Fate;
}

const current = new AsyncLocalStorage<Batch>();

/**
 * The database of an instance that may be killed: its connection is ended by the server in the middle of a transaction.
 * What is committed notes its batch in the same transaction, under the same locks, so that `race` tells afterwards in
 * which order the batches of any one monitor took effect.
 */
class MortalDatabase extends Database {
  private readonly ended = new Set<Batch>();

  override transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const batch = current.getStore();
    if (!batch) return super.transaction(fn, options);
    return super.transaction(async (tx) => {
      const value = await fn(tx);
      await tx.query('INSERT INTO race (batch) VALUES ($1)', [batch.n]);
      if (!this.ended.has(batch)) await this.end(tx, batch);
      return value;
    }, options);
  }

  private async end(tx: Transaction, batch: Batch): Promise<void> {
    this.ended.add(batch);
    const [backend] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const kill = (): Promise<unknown> => this.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
    if (batch.fate === 'killed before commit') await kill();
    if (batch.fate === 'killed at commit') void kill().catch(() => undefined);
  }
}

/** Results of several monitors, shuffled over batches, some in several of them and some twice in one. */
const story = fc.record({
  rules: fc.array(
    fc.record({
      confirm: fc.boolean(),
      failureThreshold: fc.integer({ min: 1, max: 2 }),
      recoveryThreshold: fc.integer({ min: 1, max: 2 }),
      quorum: fc.integer({ min: 1, max: 2 }),
    }),
    { minLength: MONITORS, maxLength: MONITORS },
  ),
  draws: fc.array(
    fc.record({
      monitor: fc.nat(MONITORS - 1),
      window: fc.nat(WINDOWS - 1),
      location: fc.constantFrom('one', 'two'),
      attempt: fc.constantFrom(0, 0, 0, 1),
    }),
    { minLength: 150, maxLength: 150 },
  ),
  down: fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }),
  sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 12, maxLength: 12 }),
  fates: fc.array(
    fc.constantFrom<Fate>('fine', 'fine', 'killed before commit', 'killed at commit', 'killed before the ack'),
    { minLength: 12, maxLength: 12 },
  ),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

describe('instances that race over the same results and are killed', () => {
  const clock = new TestClock();
  let first: Instance;
  let instances: Instance[];

  beforeAll(async () => {
    const { server, instance } = await bench(clock);
    first = instance();
    await first.database.query('CREATE TABLE race (seq bigint GENERATED ALWAYS AS IDENTITY, batch int NOT NULL)');
    instances = Array.from({ length: INSTANCES }, () => {
      const options = { url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'race' };
      const database = new MortalDatabase(options);
      atTheEnd(() => database.close());
      return new Instance(database, clock);
    });
  });

  async function watched(rules: Story['rules']): Promise<Monitor[]> {
    const createdAt = clock.at - (WINDOWS + 2) * INTERVAL;
    const monitors = rules.map((one) => aMonitor({ createdAt, spec: { ...one, locations: ['one', 'two'] } }));
    await first.config(...monitors);
    return monitors;
  }

  function batchesOf({ draws, down, sizes, fates }: Story, monitors: readonly Monitor[]): Batch[] {
    const results = draws.map(({ monitor: m, window: n, location, attempt }) => {
      const monitor = monitors[m]!;
      const grid = gridOf(monitor.id, INTERVAL);
      const window = nextWindow(grid, monitor.gridSince) + n;
      const isDown = down[(m * 31 + n * 7 + attempt * 3 + location.length) % down.length];
      const of = { monitorId: monitor.id, window, dueAt: dueAt(grid, window), location, attempt };
      return aResult({ ...of, ...(isDown ? { down: 'status' } : {}) });
    });
    let from = 0;
    return sizes.map((size, n) => {
      from = (from + size) % results.length;
      return { n, results: results.slice(from - Math.min(from, 3), from + size), fate: fates[n]! };
    });
  }

  /** Hands a batch out until somebody has folded it, as the broker does. */
  async function deliver(batch: Batch): Promise<void> {
    let folds = batch.fate === 'killed before the ack' ? 2 : 1;
    for (let n = batch.n; folds > 0; n += 1) {
      try {
        await current.run(batch, () => instances[n % INSTANCES]!.results(...batch.results));
        folds -= 1;
      } catch (error) {
        if (!(error instanceof TocsinError && error.retry)) throw error;
      }
    }
  }

  function held(monitors: readonly Monitor[]): Promise<Map<string, Held>> {
    const store = new StatesStore(first.database, first.outbox, first.transitions, clock);
    return store.transaction((tx) =>
      store.lock(
        tx,
        monitors.map(({ id }) => id),
      ),
    );
  }

  /** What one instance alone comes to that folds the batches in the order in which they took effect. */
  async function alone(before: Map<string, Held>, batches: readonly Batch[]): Promise<DecidedChange[]> {
    const order = await first.database.query<{ batch: number }>('SELECT batch FROM race ORDER BY seq');
    const changes: DecidedChange[] = [];
    for (const { batch } of order) {
      const sorted = batches[batch]!.results.toSorted((a, b) => a.dueAt - b.dueAt || a.attempt - b.attempt);
      for (const result of sorted) {
        const known = before.get(result.monitorId)!;
        const decision = decide(known.monitor.rules, known.state, result, clock.at);
        known.state = decision.state;
        changes.push(...decision.changes);
      }
    }
    return changes;
  }

  async function race(of: Story): Promise<void> {
    await first.database.query('TRUNCATE race');
    const monitors = await watched(of.rules);
    const ids = [monitors.map(({ id }) => id)];
    const batches = batchesOf(of, monitors);
    const model = await held(monitors);
    await Promise.all(batches.map(deliver));
    const changes = await alone(model, batches);

    const found = await held(monitors);
    for (const { id } of monitors) expect(plain(found.get(id)!.state)).toEqual(plain(model.get(id)!.state));
    const rows = <R>(sql: string): Promise<R[]> => first.database.query<R>(sql, ids);
    const moves = changes.filter((change) => change.kind !== 'state');
    const timeline = await rows<{ at: number; what: string; id: string }>(TIMELINE);
    expect(timeline.map(({ id, what, at }) => `${id} ${what} ${at}`).toSorted()).toEqual(
      moves.map(({ incidentId, kind, at }) => `${incidentId} ${kind} ${at}`).toSorted(),
    );
    const told = await rows<{ id: string }>(`SELECT id FROM outbox WHERE payload->>'incidentId' IS NOT NULL
      AND (payload->>'monitorId')::uuid = ANY($1::uuid[])`);
    const alarms = moves
      .filter(({ kind }) => kind !== 'changed')
      .map(({ incidentId, kind }) => `${incidentId}.${kind}`);
    expect(told.map(({ id }) => id).toSorted()).toEqual(alarms.toSorted());
    expect(new Set(alarms).size).toBe(alarms.length);
    const states = await rows<{ n: number }>(STATE_EVENTS);
    expect(states[0]?.n).toBe(changes.length - moves.length);
    const open = await rows<{ n: number }>(OPEN);
    expect(open.every(({ n }) => n === 1)).toBe(true);
    expect(open).toHaveLength([...model.values()].filter(({ state }) => state.incident).length);
    const keys = batches.flatMap(({ results }) =>
      results.map((one) => `${one.monitorId} ${one.dueAt} ${one.location} ${one.attempt}`),
    );
    const recorded = await rows<{ key: string }>(RECORDED);
    expect(recorded.map(({ key }) => key).toSorted()).toEqual([...new Set(keys)].toSorted());
  }

  it('they come to what one of them alone would: each result once, one incident and one alarm for each cause', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (of) => {
        await race(of);
        expect(await first.database.query(TWO_OPEN)).toEqual([]);
      }),
      { numRuns: 6, endOnFailure: true },
    );
  }, 60_000);
});

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const TIMELINE = `SELECT t.at, t.what, t.incident_id AS id FROM timeline t JOIN incidents i ON i.id = t.incident_id
  WHERE i.monitor_id = ANY($1::uuid[])`;
const STATE_EVENTS = `SELECT count(*)::int AS n FROM outbox WHERE payload->>'to' IS NOT NULL
  AND (payload->>'monitorId')::uuid = ANY($1::uuid[])`;
const OPEN = `SELECT count(*)::int AS n FROM incidents WHERE resolved_at IS NULL AND monitor_id = ANY($1::uuid[])
  GROUP BY monitor_id`;
const RECORDED = `SELECT concat_ws(' ', monitor_id, due_at, location, attempt) AS key FROM results
  WHERE monitor_id = ANY($1::uuid[])`;
const TWO_OPEN = 'SELECT monitor_id FROM incidents WHERE resolved_at IS NULL GROUP BY monitor_id HAVING count(*) > 1';
