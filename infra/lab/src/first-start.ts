import { setTimeout as delay } from 'node:timers/promises';
import type { DataCentre } from './data-centre.ts';

const PATIENCE_MS = 90_000;
const initialise = ['runuser', '-u', 'tocsin-postgres', '--', '/etc/tocsin/postgres/initialise'];

/**
 * Does to a new data centre what docs/operations.md tells a person to do: an empty database on the first host, copies of it
 * on the others, then everything. Resolves when every unit is up.
 * @throws when a step does not succeed within a minute and a half, with what it said last
 */
export async function firstStart(centre: DataCentre): Promise<void> {
  const [first, ...others] = [...centre.hosts.values()];
  if (!first) throw new Error('There is no host.');
  await centre.powerOn();
  // The unit makes its folders, and waits for a database.
  await again(() => first.run([...initialise, 'first']));
  for (const host of others) await again(() => host.run(initialise));
  await centre.whenUp(undefined, PATIENCE_MS);
}

async function again(step: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await step();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await delay(500);
    }
  }
}
