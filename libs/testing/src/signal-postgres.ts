import { readlinkSync } from 'node:fs';
import { processesIn } from '@tocsin/local';

/**
 * Sends a signal to a PostgreSQL server and to each process that it answers from: frozen alone, the first would only take
 * no new connections. What ends between being listed and being signalled is left.
 * @param pid of the server
 */
export async function signalPostgres(pid: number, signal: NodeJS.Signals): Promise<void> {
  const folder = process.platform === 'linux' ? readlinkSync(`/proc/${pid}/cwd`) : '';
  signalUnlessGone(pid, signal);
  for (const one of await processesIn(folder, pid)) signalUnlessGone(one, signal);
}

/** Sends a signal to a process; one that has ended is no error. */
export function signalUnlessGone(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
