import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './run.ts';
import type { RunningServer } from './running.ts';

const GONE_MS = 5_000;

/**
 * Kills a server and every process that works in its folder, also those that outlived an earlier kill of it, frozen or
 * not. Resolves when none is left: nothing of it can answer or write any more.
 * @throws when some are still there after 5 s
 */
export async function killAllIn(folder: string, server: RunningServer): Promise<void> {
  // A stopped parent starts no more children and buries none, so that their ids stay theirs.
  await server.kill('SIGSTOP');
  for (const pid of await processesIn(folder, server.pid)) kill(pid);
  await server.kill('SIGKILL');
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const left = await processesIn(folder, -1);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`Processes ${left.join(', ')} in ${folder} could not be killed.`);
    left.forEach(kill);
    await delay(10);
  }
}

/** Ids of the processes whose working directory it is, but `parent`'s; where the system can't say, the children of `parent`. */
export async function processesIn(folder: string, parent: number): Promise<number[]> {
  if (process.platform !== 'linux') {
    if (parent <= 0) return [];
    return (await run('pgrep', ['-P', String(parent)])).stdout.split('\n').map(Number).filter(Boolean);
  }
  const wanted = realpathSync(folder);
  const numbers = readdirSync('/proc').map(Number);
  return numbers.filter((pid) => pid > 0 && pid !== parent && pid !== process.pid && workingDir(pid) === wanted);
}

function workingDir(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
