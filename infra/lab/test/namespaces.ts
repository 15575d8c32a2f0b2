import { readdirSync, readlinkSync } from 'node:fs';

/** Namespaces, one a line, as `readlink /proc/…/ns/…` prints them. */
export function namespacesOf(printed: string): Set<string> {
  return new Set(printed.trim().split('\n'));
}

/** The processes of this machine that are in one of these namespaces. */
export function usersOf(namespaces: ReadonlySet<string>): number[] {
  const pids = readdirSync('/proc').map(Number);
  return pids.filter((pid) => pid > 0 && ['pid', 'net'].some((kind) => namespaces.has(linkOf(pid, kind))));
}

function linkOf(pid: number, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return '';
  }
}
