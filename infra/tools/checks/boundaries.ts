import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { importsOf, type ImportSeen } from './imports.ts';

/** One import that the design forbids. */
export interface Violation extends ImportSeen {
  why: string;
}

/** Which libs each lib may import: the table of the design page. Tests may import any lib. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  contracts: ['core'],
  messaging: ['core', 'telemetry'],
  cache: ['core'],
  database: ['core', 'telemetry'],
  resilience: ['core'],
  schedule: [],
  telemetry: ['core'],
  service: ['core', 'messaging', 'cache', 'database', 'resilience', 'telemetry'],
  edge: ['core', 'contracts', 'messaging', 'resilience', 'service', 'telemetry'],
  checks: ['core', 'contracts', 'schedule'],
  testing: [
    'core',
    'contracts',
    'messaging',
    'cache',
    'database',
    'resilience',
    'telemetry',
    'service',
    'checks',
    'local',
  ],
  // What each sub-service may do at the broker.
  local: ['contracts'],
};

/** Packages that only some may import, so that each technology has one home. */
const homes: { packages: RegExp; name: string; owners: readonly string[]; tests: 'all' | 'owners' }[] = [
  { packages: /^@nats-io\//, name: '@nats-io/*', owners: ['messaging', 'testing'], tests: 'owners' },
  { packages: /^ioredis(\/|$)/, name: 'ioredis', owners: ['cache', 'testing'], tests: 'owners' },
  { packages: /^pg(\/|$)/, name: 'pg', owners: ['database', 'testing', 'local', 'bench', 'e2e'], tests: 'owners' },
  { packages: /^@opentelemetry\/(?!api$)/, name: 'the OpenTelemetry SDK', owners: ['telemetry'], tests: 'all' },
];

/** Everything that the design's boundaries forbid in this workspace; empty when it keeps them. */
export function violations(root: string): Violation[] {
  const packages = [...packagesIn(root, 'apps'), ...packagesIn(root, 'libs'), 'infra/tools/local', 'e2e', 'bench'];
  const present = packages.filter((folder) => existsSync(join(root, folder)));
  const apps = new Set(packagesIn(root, 'apps').map((folder) => folder.slice('apps/'.length)));
  return importsOf(root, present).flatMap((seen) => {
    const why = judge(seen, apps);
    return why === undefined ? [] : [{ ...seen, why }];
  });
}

function judge({ file, specifier }: ImportSeen, apps: ReadonlySet<string>): string | undefined {
  const home = homeOf(file);
  if (specifier.startsWith('.')) {
    const reached = normalize(join(dirname(file), specifier));
    // Tests may use the workspace's own tools and files, but no other package's insides.
    const fine = reached.startsWith(`${home.folder}/`) || (home.test && !/^(apps|libs)\//.test(reached));
    return fine ? undefined : 'a relative import leaves its package; import the package by its name';
  }
  const own = /^@tocsin\/([^/]+)(\/.*)?$/.exec(specifier);
  if (own) return judgeOwn(home, { target: own[1] ?? '', deep: own[2] !== undefined }, apps);
  if (home.name === 'core' && !home.test && !specifier.startsWith('node:'))
    return 'core is pure and imports no package';
  const owned = homes.find(({ packages }) => packages.test(specifier));
  if (!owned || owned.owners.includes(home.name) || (home.test && owned.tests === 'all')) return undefined;
  return `only ${owned.owners.join(', ')} may import ${owned.name}`;
}

function judgeOwn(
  home: Home,
  { target, deep }: { target: string; deep: boolean },
  apps: ReadonlySet<string>,
): string | undefined {
  if (deep) return 'a deep import; import what the package exports';
  if (apps.has(target) && target !== home.name) return 'apps are not imported; NATS is the only road to them';
  if (target === home.name || home.test || home.kind === 'outside') return undefined;
  if (home.kind === 'app') return ['testing', 'local'].includes(target) ? `${target} is for tests only` : undefined;
  const allowed = mayImport[home.name];
  if (!allowed) return `the lib ${home.name} is not in the table of boundaries; say there what it may import`;
  return allowed.includes(target)
    ? undefined
    : `${home.name} may import ${allowed.join(', ') || 'no lib'}, not ${target}`;
}

interface Home {
  /** Its package's folder, such as `libs/cache`. */
  folder: string;
  name: string;
  kind: 'app' | 'lib' | 'outside';
  test: boolean;
}

function homeOf(file: string): Home {
  const parts = file.split('/');
  // apps/<name>, libs/<name>, infra/tools/<name>, e2e.
  const depth = parts[0] === 'infra' ? 3 : parts[0] === 'apps' || parts[0] === 'libs' ? 2 : 1;
  const folder = parts.slice(0, depth).join('/');
  const name = parts[depth - 1] ?? '';
  const kind = parts[0] === 'apps' ? 'app' : parts[0] === 'libs' || name === 'local' ? 'lib' : 'outside';
  const test = /\/test\/|\.(int-|e2e-)?spec\.ts$/.test(file);
  return { folder, name, kind, test };
}

function packagesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, folder, entry.name, 'package.json')))
    .map((entry) => `${folder}/${entry.name}`);
}
