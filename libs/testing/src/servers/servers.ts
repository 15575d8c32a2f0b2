import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { embeddedPostgres } from './embedded-postgres.ts';
import { debianSuite, hasApt, missingFor, systemApt, systemName, unpack } from './apt.ts';
import { inServers } from './paths.ts';
import { run } from './run.ts';
import { floors, isAtLeast, parseVersion, type ServerName } from './versions.ts';

/** Where the programs are: two files and a folder of binaries. */
export interface Servers {
  nats: string;
  redis: string;
  postgres: string;
}

export interface FindOptions {
  /** Told what happens while something is fetched. */
  progress?: (line: string) => void;
  /** `fetched` leaves aside what is on the PATH; the default is TOCSIN_SERVERS or `path`. */
  prefer?: 'path' | 'fetched';
}

const inFlight = new Map<string, Promise<Servers>>();

/**
 * Finds each server on the PATH from its version floor up, else among what was fetched before, else fetches it,
 * verified by the package manager, into `.tocsin/servers/`.
 * @throws with one line per missing server that says what to install.
 */
export function findOrFetchServers(o: FindOptions = {}): Promise<Servers> {
  const prefer = o.prefer ?? (process.env.TOCSIN_SERVERS === 'fetched' ? 'fetched' : 'path');
  const known = inFlight.get(prefer);
  if (known) return known;
  const search = findAll(prefer, o.progress ?? (() => undefined));
  inFlight.set(prefer, search);
  search.catch(() => inFlight.delete(prefer));
  return search;
}

async function findAll(prefer: 'path' | 'fetched', progress: (line: string) => void): Promise<Servers> {
  const [nats, redis, postgres] = await Promise.allSettled([
    findOrFetch('nats-server', prefer, progress),
    findOrFetch('redis-server', prefer, progress),
    findPostgres(prefer),
  ]);
  const problems = [nats, redis, postgres].flatMap((found) =>
    found.status === 'rejected' ? [found.reason instanceof Error ? found.reason.message : String(found.reason)] : [],
  );
  if (nats.status !== 'fulfilled' || redis.status !== 'fulfilled' || postgres.status !== 'fulfilled') {
    throw new Error(problems.join('\n'));
  }
  return { nats: nats.value, redis: redis.value, postgres: postgres.value };
}

type Fetched = Exclude<ServerName, 'postgres'>;

async function findOrFetch(
  server: Fetched,
  prefer: 'path' | 'fetched',
  progress: (line: string) => void,
): Promise<string> {
  if (prefer === 'path') {
    const found = await onPath(server);
    if (found) return found;
  }
  const home = inServers(server);
  const before = join(home, 'usr');
  if (existsSync(before)) {
    const program = await usable(server, programIn(home, server));
    if (program) return program;
    rmSync(home, { recursive: true, force: true });
  }
  return await fetchServer(server, home, progress);
}

/** The first program of that name on the PATH that is new enough. */
async function onPath(server: ServerName): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, server);
    if (folder !== '' && existsSync(file) && (await usable(server, file))) return file;
  }
  return undefined;
}

async function usable(server: ServerName, file: string): Promise<string | undefined> {
  const ran = await run(file, ['--version'], { env: serverEnv(file), timeoutMs: 10_000 });
  const version = ran.code === 0 ? parseVersion(server, ran.output) : undefined;
  return version && isAtLeast(version, floors[server]) ? file : undefined;
}

/** Other systems are added here: a source says whether it can serve this system, and unpacks into a folder. */
const sources: Record<Fetched, { name: string; fetch(work: string, into: string): Promise<void> }[]> = {
  'nats-server': ['forky', 'sid'].map((suite) => ({
    name: `Debian ${suite}`,
    fetch: async (work, into) => unpack(await debianSuite(join(work, suite), suite), ['nats-server'], into),
  })),
  'redis-server': [
    {
      name: "this system's packages",
      fetch: async (work, into) => {
        const apt = await systemApt(join(work, 'system'));
        const base = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'];
        await unpack(apt, [...new Set([...base, ...(await missingFor(apt, 'redis-server'))])], into);
      },
    },
  ],
};

async function fetchServer(server: Fetched, home: string, progress: (line: string) => void): Promise<string> {
  const tried: string[] = [];
  if (!(await hasApt())) throw new Error(advice(server, ['no apt-get and dpkg here']));
  for (const source of sources[server]) {
    const work = inServers(`.fetch-${server}-${process.pid}`);
    progress(`fetching ${server} ≥ ${floors[server]} from ${source.name}`);
    try {
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work, { recursive: true });
      const unpacked = join(work, 'root');
      await source.fetch(work, unpacked);
      const good = await usable(server, programIn(unpacked, server));
      if (!good) throw new Error(`it is older than ${floors[server]} or does not run here`);
      keep(unpacked, home);
      return programIn(home, server);
    } catch (error) {
      tried.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  throw new Error(advice(server, tried));
}

/** Two fetchers at once are harmless: the second finds the first's folder in place and leaves it. */
export function keep(unpacked: string, home: string): void {
  try {
    renameSync(unpacked, home);
  } catch (error) {
    if (!existsSync(home)) throw error;
  }
}

function programIn(root: string, server: Fetched): string {
  const folder = ['usr/bin', 'usr/sbin'].find((part) => existsSync(join(root, part, server))) ?? 'usr/bin';
  return join(root, folder, server);
}

const howToInstall: Record<ServerName, string> = {
  'nats-server': "`brew install nats-server` (macOS), your system's package, or a release from nats-io/nats-server",
  'redis-server': '`brew install redis` (macOS) or `apt-get install redis-server`',
  postgres: '`brew install postgresql@17` (macOS) or `apt-get install postgresql`, with its bin folder on the PATH',
};

function advice(server: ServerName, tried: string[]): string {
  const reasons = tried.length > 0 ? ` (${systemName()}; ${tried.join('; ')})` : '';
  return `Install ${server} ${floors[server]} or newer and have it on the PATH: ${howToInstall[server]}.${reasons}`;
}

async function findPostgres(prefer: 'path' | 'fetched'): Promise<string> {
  const candidates = [postgresOnPath, embeddedPostgres];
  if (prefer === 'fetched') candidates.reverse();
  for (const candidate of candidates) {
    const folder = await candidate();
    if (folder) return folder;
  }
  throw new Error(advice('postgres', []));
}

/** Only with its initdb beside it; Debian keeps that out of the PATH unless somebody linked it. */
async function postgresOnPath(): Promise<string | undefined> {
  const found = await onPath('postgres');
  const folder = found ? dirname(realpathSync(found)) : undefined;
  return folder && existsSync(join(folder, 'initdb')) ? folder : undefined;
}

/** The environment a fetched program needs: the libraries unpacked beside it. */
export function serverEnv(file: string): NodeJS.ProcessEnv {
  const root = dirname(dirname(dirname(file)));
  const lib = join(root, 'usr/lib');
  if (!root.startsWith(inServers()) || !existsSync(lib)) return process.env;
  const folders = readdirSync(lib, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /linux-gnu/.test(entry.name))
    .map((entry) => join(lib, entry.name));
  return { ...process.env, LD_LIBRARY_PATH: folders.join(delimiter) };
}
