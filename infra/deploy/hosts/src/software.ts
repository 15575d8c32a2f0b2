import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { serviceNames } from '@tocsin/contracts';
import { findOrFetchServers, projectRoot } from '@tocsin/testing/servers';

/**
 * Collects what hosts run and no package of theirs brings: the built sub-services, the guard of the broker's nodes, the Node
 * that this repository pins and nats-server. The same for every host of this machine's kind (processor and C library).
 * @returns the release's name, which becomes a folder's on the hosts
 * @throws when one is not built, or nats-server can't be found or fetched
 */
export async function collectSoftware(folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  for (const built of [...serviceNames.map((service) => `apps/${service}`), 'infra/deploy/nats-guard']) {
    cpSync(join(projectRoot, 'dist', built), join(folder, basename(built)), { recursive: true });
  }
  const { nats } = await findOrFetchServers();
  for (const [program, name] of [
    [process.execPath, 'node'],
    [nats, 'nats-server'],
  ] as const) {
    mkdirSync(join(folder, 'bin'), { recursive: true });
    cpSync(program, join(folder, 'bin', name), { dereference: true });
  }
  const release = releaseName();
  writeFileSync(join(folder, 'release'), `${release}\n`);
  return release;
}

/** The version, and the commit where there is one. */
function releaseName(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  try {
    const commit = execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: projectRoot, stdio: 'pipe' });
    return `${version}-${commit.toString().trim()}`;
  } catch {
    return version;
  }
}
