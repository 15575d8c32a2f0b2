import { join } from 'node:path';
import { readInventory } from '@tocsin/hosts';
import { until } from '@tocsin/testing';
import { projectRoot } from '@tocsin/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataCentre } from '../src/data-centre.ts';
import { Enclosure } from '../src/enclosure.ts';
import { firstStart } from '../src/first-start.ts';
import type { Host } from '../src/host.ts';
import { findPrograms, whyNot } from '../src/programs.ts';

const REPMGRD = 'tocsin-repmgrd.service';
const UNITS = ['tocsin-postgres.service', REPMGRD, 'tocsin-postgres-watch.service'];
const inventory = readInventory(join(projectRoot, 'infra/deploy/hosts/inventory.example.yaml'));
const image = await findPrograms(inventory.postgresql);
const reason = (await whyNot()) ?? image.missing.find((line) => /postgres|repmgr/.test(line));

describe.skipIf(reason !== undefined)(`the database of three hosts${reason ? ` (${reason})` : ''}`, () => {
  let enclosure: Enclosure;
  let centre: DataCentre;

  beforeAll(async () => {
    enclosure = await Enclosure.open();
    centre = await DataCentre.build(enclosure, { inventory, image, outside: '10.0.0.1', units: UNITS });
    await firstStart(centre);
    await whole();
  }, 90_000);
  afterAll(() => enclosure?.close());

  const hosts = (): Host[] => [...centre.hosts.values()];
  const sql = async (host: Host, statement: string): Promise<string> => {
    const psql = `/usr/lib/postgresql/${inventory.postgresql}/bin/psql`;
    const as = ['timeout', '2', 'runuser', '-u', 'tocsin-postgres', '--'];
    const where = ['-h', '/run/tocsin/postgres', '-U', 'tocsin_admin', '-d', 'tocsin'];
    return (await host.run([...as, psql, '-XAtqw', ...where, '-c', statement])).trim();
  };
  /** Who takes writes that a standby confirms; nobody does for a moment after a failover. */
  const primary = async (among: Host[]): Promise<Host | undefined> => {
    const followers = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND NOT pg_is_in_recovery()`;
    const counts = await Promise.all(among.map((host) => sql(host, followers).then(Number, () => 0)));
    return among.find((_, n) => counts[n]! > 0);
  };
  /** What the units of every host printed last. */
  const said = async (): Promise<string> => {
    const logs = hosts().flatMap((host) =>
      UNITS.map(async (unit) => `── ${host.name} ${unit}\n${(await host.log(unit)).split('\n').slice(-15).join('\n')}`),
    );
    return (await Promise.all(logs)).join('\n');
  };
  const whole = async (): Promise<Host> => {
    const followed = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`;
    const found = async (): Promise<Host | undefined> => {
      const host = await primary(hosts().filter(({ isOn }) => isOn));
      return host && (await sql(host, followed)) === '2' ? host : undefined;
    };
    try {
      return await until(found, { timeoutMs: 60_000, what: 'a primary with two standbys' });
    } catch (error) {
      throw new Error(`${String(error)}\n${await said()}`);
    }
  };
  /** Switches the primary's host off, and on again when another one has its place. */
  const lose = async (withinMs: number, beside: (others: Host[]) => Promise<void>): Promise<number> => {
    const lost = await whole();
    const others = hosts().filter((host) => host !== lost);
    await beside(others);
    const startedAt = performance.now();
    await lost.powerOff();
    await until(() => primary(others), { timeoutMs: withinMs, what: 'another primary' });
    const took = performance.now() - startedAt;
    await lost.powerOn();
    await whole();
    return took;
  };

  it('has another primary within 15 s of the loss of its host, and the old one as a standby when it is back', async () => {
    expect(await lose(15_000, () => Promise.resolve())).toBeLessThan(15_000);
  }, 120_000);

  it('has one although what elects hangs on both others', async () => {
    const signal = (others: Host[], what: NodeJS.Signals): Promise<void[]> =>
      Promise.all(others.map((host) => host.signal(REPMGRD, what, 'all').catch(() => undefined)));
    let frozen: Host[] = [];
    const took = await lose(60_000, async (others) => {
      frozen = others;
      await signal(others, 'SIGSTOP');
    });
    // Where it was ended, another one runs that was never stopped.
    await signal(frozen, 'SIGCONT');
    expect(took).toBeGreaterThan(15_000);
    await whole();
  }, 180_000);
});
