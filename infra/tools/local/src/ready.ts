import { setTimeout as delay } from 'node:timers/promises';
import type { RunningServer } from '@tocsin/testing/servers';
import type { Supervisor } from './supervisor.ts';

const LIMIT_MS = 90_000;

/** Where an instance says whether it is ready. */
export function healthOf({ url }: RunningServer): string {
  return `${url}/health/ready`;
}

/**
 * Waits until every instance says that it is ready.
 * @throws when one refuses its configuration, or some are not ready in 90 s, with what each last said.
 */
export async function allReady(instances: readonly Supervisor[], signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  const problems = await Promise.all(instances.map((instance) => ready(instance, deadline, signal)));
  const failed = problems.filter((problem) => problem !== undefined);
  if (failed.length > 0 && !signal.aborted) throw new Error(`not everything became ready:\n  ${failed.join('\n  ')}`);
}

async function ready(instance: Supervisor, deadline: number, signal: AbortSignal): Promise<string | undefined> {
  let last = 'it did not answer';
  while (Date.now() < deadline && !signal.aborted) {
    if (instance.gaveUp) return `${instance.name} ${instance.gaveUp}`;
    try {
      const response = await fetch(healthOf(instance.server), { signal: AbortSignal.timeout(2_000) });
      const body = await response.text();
      if (response.ok) return undefined;
      last = `status ${response.status} ${body.slice(0, 300)}`;
    } catch {
      // Not listening yet: its last answer, if it ever gave one, says more.
    }
    await delay(50);
  }
  return `${instance.name}: ${last}; see ${instance.server.logFile}`;
}
