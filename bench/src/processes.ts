import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds a process has used so far; of a server with worker processes, those of ended and living children too. */
export function cpuSeconds(pid: number): number {
  const own = stat(pid);
  if (!own) return 0;
  let ticks = own.user + own.system + own.endedChildren;
  for (const child of childrenOf(pid)) ticks += (stat(child)?.user ?? 0) + (stat(child)?.system ?? 0);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of one process in megabytes. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line ? Number(line[1]) / 1024 : 0;
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => stat(candidate)?.parent === pid);
}

/** Times of a process in clock ticks (proc(5)); undefined when it is gone. */
function stat(pid: number) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const number = (index: number) => Number(fields[index]);
    return { parent: number(1), user: number(11), system: number(12), endedChildren: number(13) + number(14) };
  } catch {
    return undefined;
  }
}
