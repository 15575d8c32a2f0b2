import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which mount namespace a process is in; undefined when it is gone. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** Every living process in one of these mount namespaces. */
export function processesIn(namespaces: ReadonlySet<string>): number[] {
  const pids = readdirSync('/proc').map(Number);
  return pids.filter((pid) => pid > 0 && namespaces.has(namespaceOf(pid) ?? '') && !isDead(pid));
}

/** A process that has ended and is not buried yet still has its folder in /proc. */
function isDead(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Sends a signal, unless the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
