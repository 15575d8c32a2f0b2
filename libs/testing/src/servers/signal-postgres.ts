import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Sends a signal to a PostgreSQL server and to each process that it answers from. Frozen alone, the first would only take
 * no new connections; killed alone, the others would answer until they next wait for something.
 * @param pid of the server
 * @returns the processes that it signalled, the server included
 */
export async function signalPostgres(pid: number, signal: NodeJS.Signals): Promise<number[]> {
  const folder = workingDirOf(pid);
  const before = folder === undefined ? await childrenOf(pid) : [];
  signalUnlessGone(pid, signal);
  const others = (folder === undefined ? before : processesIn(folder)).filter((other) => other !== pid);
  for (const other of others) signalUnlessGone(other, signal);
  return [pid, ...others];
}

/** Sends a signal to a process. One that has ended is no error. @returns whether there is such a process */
export function signalUnlessGone(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

/** Also those whose parent is dead: each process of a server works in the server's folder. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && workingDirOf(pid) === folder);
}

/** Undefined where there is no /proc, or no such process. */
function workingDirOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const listed = await run('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' }));
  return listed.stdout.split('\n').map(Number).filter(Boolean);
}
