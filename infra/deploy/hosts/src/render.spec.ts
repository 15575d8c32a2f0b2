import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { permissionsOf, serviceNames } from '@tocsin/contracts';
import { readSettings } from '@tocsin/nats-guard/settings';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, type Deployment } from './deployment.ts';
import { readInventory } from './inventory.ts';
import { render } from './render.ts';
import type { RenderedFile } from './rendered.ts';
import { writeHost } from './write.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-hosts-'));
const inventory = readInventory(join(import.meta.dirname, '..', 'inventory.example.yaml'));
let deployment: Deployment;
let files: RenderedFile[];

beforeAll(async () => {
  deployment = await deploy(inventory, join(folder, 'secrets'));
  files = render(deployment, deployment.hosts[0]!);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileAt = (path: string, from = files): RenderedFile => from.find((file) => file.path === path)!;
/** The lines NAME=value of a file. */
const variablesOf = (file: RenderedFile): Record<string, string> =>
  Object.fromEntries([...file.content.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));
const units = (): RenderedFile[] => files.filter(({ path }) => path.startsWith('/etc/systemd/system/'));
const secretsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(value as object).flatMap(secretsIn);

describe('the files of a host', () => {
  it('lie in our folder or are units, each once', () => {
    const paths = files.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect(path).toMatch(/^\/etc\/(tocsin|systemd\/system|sysctl\.d)\//);
  });

  it('let the services that show the record ask a standby, and no other', () => {
    const asking = files.filter(({ path }) => path.endsWith('/TOCSIN_DATABASE_REPLICA_URL')).map(({ path }) => path);
    expect(asking.toSorted()).toEqual(
      ['monitors', 'status'].map((service) => `/etc/tocsin/credentials/${service}/TOCSIN_DATABASE_REPLICA_URL`),
    );
  });

  it('put LVS before the balancers where the inventory says so, and nowhere else', () => {
    const paths = (kind: 'haproxy' | 'lvs'): string[] =>
      render({ ...deployment, edge: { ...deployment.edge, kind } }, deployment.hosts[0]!).map(({ path }) => path);
    expect(paths('lvs')).toContain('/etc/tocsin/lvs/prepare');
    expect(paths('haproxy').filter((path) => path.includes('lvs'))).toEqual([]);
  });

  it('tell who opens connections for monitors and channels which servers are our own, on every host', () => {
    const told = serviceNames.map((service) => {
      const own = variablesOf(fileAt(`/etc/tocsin/services/${service}.env`))['TOCSIN_TARGETS_OWN'] ?? '';
      return [service, deployment.hosts.filter(({ address }) => own.includes(`${address}:5432`)).length];
    });
    const all = deployment.hosts.length;
    expect(Object.fromEntries(told)).toMatchObject({ prober: all, notifier: all, scheduler: 0, incidents: 0 });
  });

  it('show no secret to everybody', () => {
    const secrets = secretsIn(deployment.secrets);
    const open = files.filter(({ group }) => group === undefined);
    for (const { path, content } of open)
      expect([path, secrets.filter((secret) => content.includes(secret))]).toEqual([path, []]);
    for (const { path, content } of open) expect([path, content.includes('PRIVATE KEY')]).toEqual([path, false]);
  });

  it('give each sub-service its own credentials and no other', () => {
    const { nats, postgres } = deployment.secrets;
    for (const service of serviceNames) {
      const own = files.filter(({ path }) => path.startsWith(`/etc/tocsin/credentials/${service}/`));
      const text = own.map(({ content }) => content).join('');
      const known = [...Object.entries(nats), ...Object.entries(postgres)].filter(([, secret]) =>
        text.includes(secret),
      );
      expect(new Set(known.map(([name]) => name))).toEqual(new Set([service]));
      expect(own.every(({ group }) => group === 'root')).toBe(true);
      const { content } = fileAt(`/etc/tocsin/services/${service}.env`);
      for (const { path } of own) expect(content).toContain(`/tocsin_${path.split('/').at(-1)}`);
    }
  });

  it('give each sub-service a user at the broker, with its rights', () => {
    const { content } = fileAt('/etc/tocsin/nats/accounts.conf');
    for (const service of serviceNames) {
      const user = content.slice(content.indexOf(`user: ${service},`)).split('user: ')[1]!;
      for (const subject of permissionsOf(service).publish.allow) expect(user).toContain(`"${subject}"`);
    }
  });
});

describe('the units of a host', () => {
  it('start with all of Tocsin, each that can be enabled', () => {
    const { content } = fileAt('/etc/systemd/system/tocsin.target');
    const wanted = [...content.matchAll(/^Wants=(.*)$/gm)].flatMap(([, names]) => names!.split(' '));
    const enabled = units().filter((unit) => unit.content.includes('\nWantedBy=tocsin.target\n'));
    const names = enabled.flatMap(({ path }) => {
      const name = path.split('/').at(-1)!;
      return name.includes('@') ? serviceNames.map((service) => name.replace('@', `@${service}`)) : [name];
    });
    expect(names).toContain('tocsin-nats-guard.service');
    expect(wanted.toSorted()).toEqual(names.toSorted());
  });

  it('read only environment files that are there', () => {
    const named = units().flatMap(({ content }) => [...content.matchAll(/^EnvironmentFile=(.*)$/gm)]);
    const paths = named.flatMap(([, path]) => serviceNames.map((service) => path!.replace('%i', service)));
    expect(paths).toContain('/etc/tocsin/nats/guard.env');
    expect(paths.filter((path) => !files.some((file) => file.path === path))).toEqual([]);
  });
});

describe('the guard of the broker', () => {
  it('is told of the other hosts, of the figures, and of the pid file that the server writes', () => {
    const settings = readSettings(variablesOf(fileAt('/etc/tocsin/nats/guard.env')));
    expect(settings.peers).toEqual(['10.0.0.12', '10.0.0.13'].map((host) => ({ host, port: 6222 })));
    const { content } = fileAt('/etc/tocsin/nats/nats.conf');
    expect(content).toContain(`\nhttp: "127.0.0.1:${settings.monitoring}"\n`);
    expect(content).toContain(`\npid_file: "${settings.pidFile}"\n`);
    // A folder of the unit's own is removed at its end, and an old id with it.
    const unit = fileAt('/etc/systemd/system/tocsin-nats.service').content;
    expect(unit).toContain(`\nRuntimeDirectory=${settings.pidFile.replace(/^\/run\/(.*)\/[^/]+$/, '$1')}\n`);
    expect(unit).not.toContain('RuntimeDirectoryPreserve');
  });

  it('may signal the server: both are the same user', () => {
    for (const name of ['tocsin-nats', 'tocsin-nats-guard'])
      expect(fileAt(`/etc/systemd/system/${name}.service`).content).toContain('\nUser=tocsin-nats\n');
  });
});

describe('spans', () => {
  const endpoints = (from: RenderedFile[]): unknown[] =>
    serviceNames
      .map((name) => fileAt(`/etc/tocsin/services/${name}.env`, from))
      .map((file) => variablesOf(file).OTEL_EXPORTER_OTLP_ENDPOINT);

  it('go where the inventory says, from every sub-service, and nowhere when it says nothing', () => {
    const traces = 'http://127.0.0.1:4318';
    const traced = render({ ...deployment, traces }, deployment.hosts[0]!);
    expect(endpoints(traced)).toEqual(serviceNames.map(() => traces));
    expect(endpoints(files)).toEqual(serviceNames.map(() => undefined));
  });
});

describe('secrets and certificates', () => {
  it('are made once and kept', async () => {
    expect(await deploy(inventory, join(folder, 'secrets'))).toEqual(deployment);
  });

  it('are kept from others', () => {
    for (const name of ['secrets.json', 'ca.key', 'edge.key', 'host-a.key'])
      expect(statSync(join(folder, 'secrets', name)).mode & 0o077).toBe(0);
  });

  it('are made anew for a host that moved', async () => {
    const [first, ...rest] = inventory.hosts;
    const moved = { ...inventory, hosts: [{ ...first!, address: '10.0.0.99' }, ...rest] };
    const { certificates } = await deploy(moved, join(folder, 'secrets'));
    expect(certificates.hosts.get('a')).not.toEqual(deployment.certificates.hosts.get('a'));
    expect(certificates.hosts.get('b')).toEqual(deployment.certificates.hosts.get('b'));
    expect(certificates.authority).toBe(deployment.certificates.authority);
  });
});

describe('what is written for a host', () => {
  it('has a manifest line for each file, and nobody else may read it', () => {
    const out = join(folder, 'out');
    writeHost(out, files);
    const lines = readFileSync(join(out, 'manifest'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(files.length);
    expect(lines).toContain('0640 tocsin-nats /etc/tocsin/nats/nats.conf');
    expect(lines).toContain('0600 root /etc/tocsin/credentials/prober/TOCSIN_CHECKS_KEY');
    expect(lines).toContain('0755 root /etc/tocsin/redis/start-redis');
    expect(statSync(join(out, 'files/etc/tocsin/nats/nats.conf')).mode & 0o077).toBe(0);
  });
});
