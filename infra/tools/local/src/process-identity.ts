import { readFileSync } from 'node:fs';
import { run } from '@tocsin/testing/servers';

/** A process that can't be mistaken for a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever unit the system says it; only compared. Empty when it could not be read. */
  startedAt: string;
}

/** Who has this process id now; undefined when nobody has. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (pid <= 0) return undefined;
  if (process.platform === 'linux') {
    try {
      // The command (second field) may hold spaces and brackets, so count from its last closing bracket.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return undefined;
      return { pid, startedAt: fields[19] ?? '' };
    } catch {
      return undefined;
    }
  }
  const ps = await run('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return ps.code === 0 ? { pid, startedAt: ps.stdout.trim() } : undefined;
}

/** Is that very process still running? */
export async function isRunning(known: ProcessIdentity): Promise<boolean> {
  const now = await identify(known.pid);
  return now !== undefined && now.startedAt === known.startedAt;
}
