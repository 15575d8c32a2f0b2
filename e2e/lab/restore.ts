import { setTimeout as delay } from 'node:timers/promises';
import { serviceUnits } from '@tocsin/lab';
import type { Fault } from './faults.ts';

const SCRIPTS = '/etc/tocsin/postgres';
const DATA = '/var/lib/tocsin/postgres/data';
const SERVER = 'tocsin-postgres.service';
const HURRY_MS = 2_000;
const WATCHERS = ['tocsin-repmgrd.service', 'tocsin-postgres-watch.service'];

/**
 * The database is lost on every host and brought back as docs/operations.md says: from a base backup and the log that was
 * archived, on one host, of which the others take a copy.
 */
export const restore: Fault = async (site) => {
  const name = await site.databasePrimary();
  const host = site.host(name);
  const as = ['runuser', '-u', 'tocsin-postgres', '--'];
  // A backup begins when a checkpoint has ended, which takes minutes where nobody is in a hurry.
  const hurry = delay(HURRY_MS).then(() => site.checkpoint(name));
  const [printed] = await Promise.all([
    host.run(['sh', '-c', `${[...as, `${SCRIPTS}/base-backup`].join(' ')} 2>&1`]),
    hurry,
  ]);
  const backup = folderIn(printed);
  const at = Date.now();
  const all = [...site.centre.hosts.values()];
  // What elects and fences first, then the primary last: its archive has everything.
  await Promise.all(all.map((one) => one.units('stop', ...serviceUnits, ...WATCHERS)));
  for (const one of [...site.othersThan(name), name]) await site.host(one).units('stop', SERVER);
  for (const one of all) await one.run(['rm', '-rf', DATA]);
  await host.run([...as, `${SCRIPTS}/restore`, backup]);
  await host.units('start', SERVER);
  for (const one of site.othersThan(name)) await site.host(one).run([...as, `${SCRIPTS}/initialise`]);
  await Promise.all(all.map((one) => one.units('start', SERVER, ...WATCHERS, ...serviceUnits)));
  await site.whole();
  return { at, victims: site.hosts };
};

/** `base-backup: /var/lib/…/base/20260131T020000Z-a`: where it lies. */
function folderIn(printed: string): string {
  const path = /(\/\S+\/base\/\S+)\s*$/.exec(printed)?.[1];
  if (!path) throw new Error(`No backup was made: ${printed}`);
  return path;
}
