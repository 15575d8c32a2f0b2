import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasApt, missingFor, systemApt, systemName, unpack } from './apt.ts';
import { inServers } from './paths.ts';
import { keep } from './servers.ts';

/**
 * This system's own packages, with what they need and the system lacks, unpacked into a folder below `.tocsin/servers`;
 * nothing is installed. What was unpacked before is used again.
 * @param name of the folder
 * @returns the folder, which holds a `usr`
 * @throws with what apt said; a retry helps only when the network was away
 */
export async function unpackedPackages(name: string, packages: readonly string[]): Promise<string> {
  const home = inServers(name);
  if (existsSync(join(home, 'usr'))) return home;
  if (!(await hasApt())) throw new Error(`no apt-get and dpkg here (${systemName()})`);
  const work = inServers(`.fetch-${name}-${process.pid}`);
  try {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const apt = await systemApt(join(work, 'system'));
    const needed = await Promise.all(packages.map((one) => missingFor(apt, one)));
    await unpack(apt, [...new Set([...packages, ...needed.flat()])], join(work, 'root'));
    keep(join(work, 'root'), home);
    return home;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
