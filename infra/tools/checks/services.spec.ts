import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsPart, databaseRoles, type Service, serviceNames, services } from '@tocsin/contracts';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const all = Object.values(services);
const owners = all.filter(({ database }) => database?.schema).map(({ name }) => name);
const ports = all.map(({ port }) => String(port));
const modes = all.map(({ name, hostMode }) => `${name}: ${hostMode}`);

/** The words of the first group of a pattern, which stands in a file once. */
function words(pattern: RegExp) {
  return (text: string): string[] => pattern.exec(text)?.[1]?.match(/[\w-]+/g) ?? [];
}

/** The first group of a pattern, wherever it stands in a file. */
function each(pattern: RegExp) {
  return (text: string): string[] => [...text.matchAll(pattern)].map(([, found]) => found!);
}

/** What the table of sub-services says: each, and how its instances share the work (per location or shard, where it says so). */
function readmeModes(text: string): string[] {
  const rows = text.matchAll(/^\| \[(\w+)\]\(apps\/\1\) .*\| (.*?)(?:, per \w+)? +\|$/gm);
  return [...rows].map(([, name, mode]) => `${name}: ${mode}`);
}

/** The same of the hosts' table, which has a row for each mode. */
function hostsModes(text: string): string[] {
  const rows = text.matchAll(/^\| (peers|dual active|primary \/ standby, by lease) +\| (.*?) +\|/gm);
  return [...rows].flatMap(([, mode, what]) => [...what!.matchAll(/`(\w+)`/g)].map(([, name]) => `${name}: ${mode}`));
}

/** A file that lists services and cannot derive the list: what it says, what it must hold, and what it holds. */
const lists: [file: string, what: string, wanted: readonly string[], found: (text: string) => string[]][] = [
  ['README.md', 'says the host mode of', modes, readmeModes],
  [
    'docs/alerts.md',
    'gives the ports of',
    all.map(({ name, port }) => `${port} ${name}`),
    each(/\b(84\d\d (?!to\b)\w+)/g),
  ],
  ['docs/operations.md', 'waits after an upgrade for the ports of', ports, words(/for port in ([\d ]+);/)],
  ['infra/deploy/compose/compose.yaml', 'builds', serviceNames, each(/args: { SERVICE: (\w+) }/g)],
  ['infra/deploy/compose/compose.yaml', 'gives passwords to', databaseRoles, each(/--set=(\w+)_password=/g)],
  ['infra/deploy/hosts/README.md', 'says the host mode of', modes, hostsModes],
  ['infra/deploy/kubernetes/README.md', 'builds images of', serviceNames, words(/for app in ([\w ]+);/)],
  ['infra/deploy/kubernetes/base/kustomization.yaml', 'has', serviceNames, each(/^ {2}- (?!network-)(\w+)\.yaml$/gm)],
  [
    'infra/deploy/kubernetes/overlays/example/kustomization.yaml',
    'has images of',
    serviceNames,
    each(/name: tocsin\/(\w+),/g),
  ],
  ['infra/deploy/kubernetes/servers/README.md', 'gives passwords to', databaseRoles, words(/for role in ([\w ]+);/)],
  ['infra/deploy/observability/exporters/queries.yaml', 'counts the outboxes of', owners, each(/FROM (\w+)\.outbox/g)],
  [
    'infra/deploy/observability/exporters/role.sql',
    'grants the schemas of',
    owners,
    words(/USAGE ON SCHEMA ([\w, ]+) TO/),
  ],
  ['infra/deploy/observability/exporters/role.sql', 'grants the outboxes of', owners, each(/\b(\w+)\.outbox/g)],
  [
    'infra/deploy/observability/prometheus/targets/hosts.example.yml',
    'has the targets of',
    serviceNames,
    each(/service: (\w+) }, targets: \[10\.0\.0\.11:84/g),
  ],
  [
    'infra/deploy/postgres/bootstrap.sql',
    'makes the roles of',
    databaseRoles,
    words(/role_name IN ARRAY ARRAY\[(.*)\]/),
  ],
  ['infra/deploy/postgres/bootstrap.sql', 'makes the schemas of', owners, words(/owner_name IN ARRAY ARRAY\[(.*)\]/)],
  ['infra/deploy/postgres/bootstrap.sql', 'takes the passwords of', databaseRoles, each(/:'(\w+)_password'/g)],
  [
    'infra/deploy/postgres/bootstrap.sql',
    'lets into the database',
    databaseRoles,
    words(/CONNECT ON DATABASE \S+ TO ([\w, ]+);/),
  ],
  ['infra/deploy/systemd/tocsin.target', 'starts', serviceNames, each(/tocsin@(\w+)\.service/g)],
];

describe.each(serviceNames)('the service %s', (name) => {
  it('has its folder in apps', () => {
    expect(readdirSync(join(projectRoot, 'apps'))).toContain(name);
  });

  it('owns the schema of its name, or none', () => {
    expect([undefined, name]).toContain(services[name].database?.schema);
  });
});

describe('no folder of apps', () => {
  it('is without its entry in the list of services', () => {
    expect(readdirSync(join(projectRoot, 'apps')).toSorted()).toEqual(serviceNames.toSorted());
  });
});

describe.each(lists)('%s', (file, what, wanted, found) => {
  it(`${what} the services of libs/contracts/src/services.ts`, () => {
    expect(found(text(file)).toSorted()).toEqual(wanted.toSorted());
  });
});

describe('infra/deploy/observability/prometheus/prometheus.yml', () => {
  it('reads the figures and the readiness of every service', () => {
    const lists = each(/regex: ([a-z]+(?:\|[a-z]+)+)$/gm)(text('infra/deploy/observability/prometheus/prometheus.yml'));
    expect(lists).toEqual([serviceNames.join('|'), serviceNames.join('|')]);
  });
});

describe.each(serviceNames)('infra/deploy/compose/compose.yaml, of %s', (name) => {
  it('gives it what it needs and nothing else', () => {
    const compose = parse(text('infra/deploy/compose/compose.yaml'), { merge: true }) as {
      services: Record<string, { environment: Record<string, string> }>;
      'x-environment': Record<string, string>;
    };
    const given = Object.keys(compose.services[name]?.environment ?? {});
    expect(given.toSorted()).toEqual(
      [...Object.keys(compose['x-environment']), ...variablesOf(services[name])].toSorted(),
    );
  });
});

describe('the rights of migrations', () => {
  it.each(serviceNames.filter((name) => services[name].database?.reads))('let %s read what the list says', (reader) => {
    const granting = owners.filter((owner) => {
      const folder = join(projectRoot, 'apps', owner, 'migrations');
      const sql = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
      return sql.some((one) => new RegExp(`GRANT [^;]* TO ${reader};`).test(one));
    });
    expect(granting).toEqual(services[reader].database?.reads);
  });
});

/** The variables by which a service is told what it needs, where every service has the same broker. */
function variablesOf({
  name,
  database,
  cache,
  targets,
  secretKeys = [],
  opensFormerSecrets,
  bootstrapToken,
}: Service): string[] {
  const commandKey = { sends: 'TOCSIN_COMMAND_KEY', 'carries out': 'TOCSIN_COMMAND_PUBLIC_KEY' };
  const part = commandsPart(name);
  return [
    ...(database ? ['TOCSIN_DATABASE_URL'] : []),
    ...(cache ? ['TOCSIN_REDIS_URL'] : []),
    ...(targets ? ['TOCSIN_TARGETS_OWN'] : []),
    ...secretKeys,
    ...(opensFormerSecrets ? ['TOCSIN_SECRET'] : []),
    ...(part ? [commandKey[part]] : []),
    ...(bootstrapToken ? ['TOCSIN_BOOTSTRAP_TOKEN'] : []),
  ];
}

function text(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}
