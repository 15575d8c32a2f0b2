import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { serviceNames } from '@tocsin/contracts';
import { findOrFetchServers, projectRoot, unpackedPackages } from '@tocsin/testing/servers';
import { Enclosure } from './enclosure.ts';
import { type Image, RELEASE } from './host.ts';

/** What a host runs, where Debian puts it, and which of Debian's packages brings it. */
interface Program {
  path: string;
  package: string;
}

/** What the hosts of a lab are made with. */
export interface Programs extends Image {
  /** What is not there: one line each, with what brings it. */
  missing: string[];
}

/** What makes the hosts themselves. */
const tools: Program[] = [
  { path: '/usr/bin/unshare', package: 'util-linux' },
  { path: '/usr/bin/setpriv', package: 'util-linux' },
  { path: '/usr/sbin/ip', package: 'iproute2' },
  { path: '/usr/sbin/tc', package: 'iproute2' },
  { path: '/usr/bin/perl', package: 'perl-base' },
  { path: '/usr/sbin/useradd', package: 'passwd' },
];

function servers(postgresql: number): Program[] {
  const binaries = `/usr/lib/postgresql/${postgresql}/bin`;
  return [
    { path: '/usr/sbin/haproxy', package: 'haproxy' },
    { path: '/usr/sbin/keepalived', package: 'keepalived' },
    { path: '/usr/bin/systemd-notify', package: 'systemd' },
    { path: '/usr/bin/redis-server', package: 'redis-server' },
    { path: '/usr/bin/redis-cli', package: 'redis-tools' },
    { path: `${binaries}/postgres`, package: `postgresql-${postgresql}` },
    { path: `${binaries}/psql`, package: `postgresql-client-${postgresql}` },
    { path: `${binaries}/repmgr`, package: `postgresql-${postgresql}-repmgr` },
    { path: `${binaries}/repmgrd`, package: `postgresql-${postgresql}-repmgr` },
  ];
}

/**
 * Finds what hosts run: installed, or unpacked into one of the folders that TOCSIN_LAB_LAYERS names (with colons), as
 * `dpkg -x` does. What is missing is fetched and unpacked; the sub-services are taken as they were built.
 */
export async function findPrograms(postgresql = 15): Promise<Programs> {
  const layers = (process.env.TOCSIN_LAB_LAYERS ?? '').split(delimiter).filter((folder) => folder !== '');
  const fetched = await findOrFetchServers();
  const redis = /^(.+)\/usr\/bin\/redis-server$/.exec(fetched.redis)?.[1];
  if (redis) layers.push(redis);
  const failure = await fetchMissing(servers(postgresql), layers);
  const apps = [
    ...serviceNames.map((name) => [`${RELEASE}/${name}`, join(projectRoot, 'dist/apps', name)] as const),
    [`${RELEASE}/nats-guard`, join(projectRoot, 'dist/infra/deploy/nats-guard')] as const,
  ];
  const notBuilt = apps.filter(([, folder]) => !existsSync(folder));
  return {
    layers,
    mounts: {
      [`${RELEASE}/bin/nats-server`]: fetched.nats,
      // The same program, which goes by its name; Debian has a package for the link.
      '/usr/bin/redis-sentinel': fetched.redis,
      ...Object.fromEntries(apps.filter((one) => !notBuilt.includes(one))),
    },
    missing: [
      ...absent(servers(postgresql), layers).map((line) => line + failure),
      ...notBuilt.map(([, folder]) => `${folder}: nx run-many -t build`),
    ],
  };
}

/** Adds a layer with those that are in none; says why that failed, if it did. */
async function fetchMissing(programs: readonly Program[], layers: string[]): Promise<string> {
  const away = awayOf(programs, layers);
  if (away.length === 0) return '';
  try {
    layers.push(await unpackedPackages('lab', [...new Set(away.map((program) => program.package))]));
    return '';
  } catch (error) {
    return ` (${(error as Error).message})`;
  }
}

/** Those that are neither installed nor in a layer, one line each. */
export function absent(programs: readonly Program[], layers: readonly string[] = []): string[] {
  return awayOf(programs, layers).map((program) => `${program.path}: apt-get install ${program.package}`);
}

function awayOf(programs: readonly Program[], layers: readonly string[]): Program[] {
  const roots = ['', ...layers];
  return programs.filter(({ path }) => !roots.some((root) => existsSync(`${root}${path}`)));
}

/** Why this machine can't run a lab; undefined when it can. */
export async function whyNot(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  const away = absent(tools);
  if (away.length > 0) return away.join('; ');
  try {
    const enclosure = await Enclosure.open();
    // The most that is asked of the kernel: a bridge, and a layered root.
    const script = `ip link add probe type bridge && cd /media && mkdir new work root &&
      mount -t overlay overlay -o lowerdir=/,upperdir=new,workdir=work root`;
    const { code, stderr } = await enclosure.run(['sh', '-euc', script]);
    await enclosure.close();
    return code === 0 ? undefined : `its kernel lacks something: ${stderr.trim()}`;
  } catch (error) {
    return (error as Error).message;
  }
}
