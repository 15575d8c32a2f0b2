import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Sends a signal to a PostgreSQL server and to each process that it answers from: frozen alone, the first would only take
 * no new connections. A process that ends between being listed and being signalled is left.
 * @param pid of the server
 */
export async function signalPostgres(pid: number, signal: NodeJS.Signals): Promise<void> {
  const folder = workingDirOf(pid);
  signalUnlessGone(pid, signal);
  const children = folder === undefined ? await childrenOf(pid) : processesIn(folder);
  for (const child of children) if (child !== pid) signalUnlessGone(child, signal);
}

/** Sends a signal to a process; one that has ended is no error. */
export function signalUnlessGone(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
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
