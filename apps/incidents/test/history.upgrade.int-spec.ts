import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '@tocsin/core';
import { Database, migrate } from '@tocsin/database';
import { atTheEnd, postgres } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Instance, TestClock } from './bench.ts';

const OWN = fileURLToPath(new URL('../migrations/', import.meta.url));
const HOUR = 3_600_000;
/** What folds and configurations lock by writing. Whatever conflicts with it has them wait. */
const HARMLESS = ['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock'];
/** Tables that a check, its alert or a change of a monitor writes. */
const HOT = /^(results|spans|sweeps|states|monitors|incidents|timeline|transitions|rollup_dirty|outbox)/;

describe('a used system is brought up to date while the version before serves', () => {
  const clock = new TestClock();
  const hour = Math.floor(clock.at / (24 * HOUR)) * 24 * HOUR;
  const beating = newId();
  let database: Database;
  let one: Instance;

  beforeAll(async () => {
    const server = await postgres();
    database = new Database({ url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'test' });
    atTheEnd(() => database.close());
    const before = await mkdtemp(join(tmpdir(), 'migrations-'));
    atTheEnd(() => rm(before, { recursive: true }));
    for (const file of await readdir(OWN)) if (file < '007') await cp(join(OWN, file), join(before, file));
    await migrate(database, before);
    one = new Instance(database, clock);
    await one.partitions.run();
    await database.query(
      `INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, reason, message, prober)
       SELECT gen_random_uuid(), $1::bigint - n * 3600000, 'a', 0, 2, true, '', '', '' FROM generate_series(1, 100) n`,
      [clock.at],
    );
    const probed = newId();
    await database.query(
      `INSERT INTO spans (monitor_id, from_at, interval_ms, phase_ms, locations, excused) VALUES ($1, 0, 60000, 0, '{a}', false)`,
      [probed],
    );
    await database.query(
      `INSERT INTO monitors (monitor_id, revision, name, kind, paused, grid_since, rules)
       VALUES ($1, 1, 'backup', 'heartbeat', false, 0, '{}')`,
      [beating],
    );
    await database.query(
      `INSERT INTO states (monitor_id, state, since, reason, message, expected_since, data)
       VALUES ($1, 'up', $2, 'ok', 'ok', $2, '{}')`,
      [beating, clock.at],
    );
    await database.query(
      `INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, reason, message, prober)
       VALUES ($1, $2, 'push', 0, 0, true, '', '', '')`,
      [beating, clock.at - HOUR],
    );
    // Two whole hours of a monitor and of a heartbeat; the first hour is kept as an hour alone.
    const add = `INSERT INTO rollups_$ SELECT id, at, 0, 0, 0, 5, 0, 0, 0, 0, 0, '{}'
      FROM unnest($1::uuid[]) AS m (id), unnest($2::bigint[]) AS b (at)`;
    const ids = [probed, newId()];
    await database.query(add.replace('$', '300'), [ids, [hour + HOUR, hour + HOUR + 300_000]]);
    await database.query(add.replace('$', '3600'), [ids, [hour]]);
  });

  it('no migration that reads or writes rows has those wait who fold results or hear of monitors', async () => {
    for (const file of (await readdir(OWN)).toSorted()) {
      if (file < '007') continue;
      const tables = await database.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'incidents'::regnamespace`,
      );
      const known = tables.map(({ name }) => name);
      const locks = await database.transaction(async (tx) => {
        await tx.query(await readFile(join(OWN, file), 'utf8'));
        return tx.query<{ name: string; mode: string; read: boolean }>(
          `SELECT c.relname AS name, l.mode, c.relispartition AS read FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
           WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'incidents'::regnamespace
             AND c.relname = ANY($1)`,
          [known],
        );
      });
      const blocked = locks.filter(({ name, mode }) => HOT.test(name) && !HARMLESS.includes(mode));
      const busy = locks.filter(({ read, mode }) => read || mode === 'RowExclusiveLock');
      expect({ file, busy: blocked.length > 0 ? busy : [] }).toEqual({ file, busy: [] });
    }
  });

  it('the totals are of what has a grid, on each level from the finest that is kept', async () => {
    const totals = await database.query<{ seconds: number; bucket_at: number; ran: number }>(
      'SELECT seconds, bucket_at, ran FROM rollup_totals_v2 ORDER BY seconds, bucket_at',
    );
    const day = hour - (hour % (24 * HOUR));
    expect(totals).toEqual([
      { seconds: 300, bucket_at: hour + HOUR, ran: 5 },
      { seconds: 300, bucket_at: hour + HOUR + 300_000, ran: 5 },
      { seconds: 3_600, bucket_at: hour, ran: 5 },
      { seconds: 3_600, bucket_at: hour + HOUR, ran: 10 },
      { seconds: 86_400, bucket_at: day, ran: 15 },
    ]);
  });

  it('heartbeats that there are were watched since their oldest ping, until they are paused or deleted', async () => {
    const spans = () =>
      database.query('SELECT from_at, until_at FROM heartbeat_spans WHERE monitor_id = $1 ORDER BY 1', [beating]);
    const enter = (state: string, since: number) =>
      database.query('UPDATE states SET state = $2, since = $3 WHERE monitor_id = $1', [beating, state, since]);
    const first = { from_at: clock.at - HOUR, until_at: null as number | null };
    expect(await spans()).toEqual([first]);
    await enter('down', clock.at + 1);
    expect(await spans()).toEqual([first]);
    await enter('paused', clock.at + 2);
    await enter('unknown', clock.at + 3);
    first.until_at = clock.at + 2;
    expect(await spans()).toEqual([first]);
    await enter('up', clock.at + 4);
    expect(await spans()).toEqual([first, { from_at: clock.at + 4, until_at: null }]);
    await database.query('UPDATE monitors SET deleted = true, grid_since = $2 WHERE monitor_id = $1', [
      beating,
      clock.at + 5,
    ]);
    await database.query('DELETE FROM states WHERE monitor_id = $1', [beating]);
    expect(await spans()).toEqual([first, { from_at: clock.at + 4, until_at: clock.at + 5 }]);
  });

  it('the indexes that it declares are built partition by partition, by one instance, after an interruption too', async () => {
    const without = async (): Promise<number> => {
      const [row] = await database.query<{ n: number }>(
        `SELECT count(*) AS n FROM pg_inherits h WHERE h.inhparent = ANY('{results,rollups_300,rollups_3600}'::regclass[])
         AND (SELECT count(*) FROM pg_index x WHERE x.indrelid = h.inhrelid AND x.indisvalid) <
           (SELECT count(*) FROM pg_index x WHERE x.indrelid = h.inhparent)`,
      );
      return row!.n;
    };
    expect(await without()).toBeGreaterThan(11);
    const day = new Date(clock.at).toISOString().slice(0, 10).replaceAll('-', '');
    // A statement that is cut off leaves an index that is never used.
    const row = 'SELECT FROM results LIMIT 1 FOR UPDATE';
    await database.transaction(async (tx) => {
      await tx.query(`LOCK TABLE results_${day} IN ROW EXCLUSIVE MODE`);
      const cut = `CREATE INDEX CONCURRENTLY results_${day}_not_ran ON results_${day} (monitor_id)`;
      await expect(database.query(cut, [], { timeoutMs: 300 })).rejects.toMatchObject({
        details: { sqlState: '57014' },
      });
      await tx.query(row);
    });
    await Promise.allSettled([one.partitions.index(), new Instance(database, clock).partitions.index()]);
    await one.partitions.index();
    expect(await without()).toBe(0);
    const [index] = await database.query<{ text: string }>(`SELECT pg_get_indexdef('results_${day}_not_ran'::regclass) AS text`); // prettier-ignore
    expect(index?.text).toContain('due_at) WHERE');
    const invalid = await database.query(
      `SELECT indexrelid::regclass FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
       WHERE c.relnamespace = 'incidents'::regnamespace AND NOT x.indisvalid`,
    );
    expect(invalid).toEqual([]);
    clock.at += 86_400_000;
    await one.partitions.run();
    expect(await without()).toBe(0);
  });
});
