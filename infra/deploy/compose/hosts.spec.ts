import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { readInventory } from '@tocsin/hosts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Mount {
  source: string;
  target: string;
  bind?: { create_host_path: boolean };
}
interface Service {
  image: string;
  hostname?: string;
  privileged?: boolean;
  restart?: string;
  command?: string[];
  network_mode?: string;
  networks?: Record<string, { ipv4_address: string }>;
  extra_hosts?: string[];
  ports?: string[];
  volumes?: (string | Mount)[];
}
interface Compose {
  services: Record<string, Service>;
  networks: { hosts: { ipam: { config: { subnet: string; ip_range: string }[] } } };
}

const folder = import.meta.dirname;
const root = join(folder, '../../..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

const { services, networks } = parse(text('infra/deploy/compose/hosts.yaml'), { merge: true }) as Compose;
const inventory = readInventory(join(folder, 'hosts.inventory.yaml'));
const dockerfile = text('infra/deploy/compose/host/Dockerfile');
const readme = text('infra/deploy/compose/README.md');
const firstStart = text('infra/deploy/compose/first-start.sh');

const addressOf = (service: string): string | undefined => services[service]?.networks?.['hosts']?.ipv4_address;
const machine = addressOf('prometheus')!;
/** What runs on the machine that watches. */
const watching = Object.entries(services).filter(([, { network_mode: mode }]) => mode === 'service:prometheus');

/** Mounts of folders and files of the clone, as paths from its root. */
const mountsOf = ({ volumes = [] }: Service): Mount[] =>
  volumes.flatMap((one) => {
    const [source, target] = typeof one === 'string' ? one.split(':') : [one.source, one.target];
    if (!source?.startsWith('.')) return [];
    const from = relative(root, normalize(join(folder, source)));
    return [{ ...(typeof one === 'string' ? {} : one), source: from, target: target! }];
  });
const mounts = Object.values(services).flatMap(mountsOf);
const isRendered = ({ source }: Mount): boolean => source.startsWith('.tocsin/hosts/');

/** Is an address in a network, both as they are written? */
const isIn = (address: string, network: string): boolean => {
  const [base, prefix] = network.split('/');
  const number = (of: string): number => of.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(number(address) / size) === Math.floor(number(base!) / size);
};
/** The words of the first line that begins so in a code block. */
const wordsAfter = (page: string, beginning: string): string[] => {
  const line = page.split('\n').find((one) => one.trim().startsWith(beginning));
  return line?.trim().slice(beginning.length).trim().split(/\s+/) ?? [];
};

describe('three hosts in containers', () => {
  it('are those of their inventory, each on its address and under its name', () => {
    const hosts = Object.entries(services).filter(([, { privileged }]) => privileged);
    const found = hosts.map(([name, { hostname }]) => ({ name, hostname, address: addressOf(name) }));
    expect(found).toEqual(inventory.hosts.map(({ name, address }) => ({ name, hostname: name, address })));
    // The only network of a container is its first card.
    for (const [name, host] of hosts) expect([name, Object.keys(host.networks!)]).toEqual([name, ['hosts']]);
    expect(inventory.hosts.map((host) => host.interface)).toEqual(['eth0', 'eth0', 'eth0']);
    expect(firstStart).toContain(`\nhosts='${inventory.hosts.map(({ name }) => name).join(' ')}'\n`);
  });

  it('are not started again when they are killed', () => {
    for (const { name } of inventory.hosts) expect([name, services[name]!.restart]).toEqual([name, undefined]);
  });

  it('have a floating address in their network, which no container is given', () => {
    const [network] = networks.hosts.ipam.config;
    const given = Object.keys(services).flatMap((name) => addressOf(name) ?? []);
    expect(given).toHaveLength(4);
    for (const address of [...given, ...inventory.edge.addresses]) {
      expect([address, isIn(address, network!.subnet)]).toEqual([address, true]);
      expect([address, isIn(address, network!.ip_range)]).toEqual([address, false]);
    }
    expect(network!.subnet).toMatch(new RegExp(`/${inventory.edge.prefix}$`));
    for (const address of inventory.edge.addresses) expect(given).not.toContain(address);
  });

  it('are called by a client by the name of their certificate', () => {
    const { names, addresses } = inventory.edge;
    expect(services['client']!.extra_hosts).toEqual([`${names[0]}:${addresses[0]}`]);
    for (const [, name] of readme.matchAll(/https:\/\/([\w.]+)/g)) expect(name).toBe(names[0]);
  });

  it.each([
    ['docs/operations.md', 'apt-get install'],
    ['infra/deploy/observability/README.md', 'apt-get install prometheus-node-exporter'],
  ])('have the packages that %s asks for', (page, line) => {
    const packages = [...line.split(' ').slice(2), ...wordsAfter(text(page), line)];
    expect(packages.length).toBeGreaterThan(2);
    const installed = dockerfile.slice(0, dockerfile.indexOf('rm -rf /var/lib/apt')).split(/\s+/);
    expect(packages.filter((name) => !installed.includes(name))).toEqual([]);
    expect(installed).toContain(`postgresql-${inventory.postgresql}`);
  });

  it('never start what docs/operations.md stops', () => {
    const stopped = wordsAfter(text('docs/operations.md'), 'systemctl disable --now');
    expect(stopped).toContain('postgresql');
    expect(wordsAfter(dockerfile, 'RUN systemctl mask').toSorted()).toEqual(stopped.toSorted());
  });

  it('have every program that a unit of infra/deploy/observability starts from /usr/local/bin', () => {
    for (const unit of ['tocsin-otel-collector', 'tocsin-nats-exporter']) {
      const program = /^ExecStart=(\S+)/m.exec(text(`infra/deploy/observability/exporters/${unit}.service`))![1]!;
      expect(dockerfile).toMatch(new RegExp(`^COPY --from=\\S+ \\S+ ${program}$`, 'm'));
    }
  });
});

describe('what watches them', () => {
  it('shares one address, at which the files find each other', () => {
    expect(watching.map(([name]) => name)).toEqual(['blackbox', 'jaeger', 'loki', 'grafana']);
    expect(firstStart).toContain(`\nwatcher=${machine}\n`);
    for (const [, address] of readme.matchAll(/http:\/\/(10\.[\d.]+)/g)) expect(address).toBe(machine);
  });

  it('gets the spans of every sub-service from the collector of its host', () => {
    const collector = text('infra/deploy/observability/otel-collector.yaml');
    const receiver = /http:\n(?: +#.*\n)* +endpoint: (\S+)/.exec(collector)?.[1];
    expect(inventory.traces).toBe(`http://${receiver}`);
  });

  it('is shown on this machine alone', () => {
    const ports = Object.values(services).flatMap(({ ports: shown = [] }) => shown);
    expect(ports).toHaveLength(3);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('finds each of its files where a command or another file says', () => {
    for (const [name, service] of Object.entries(services)) {
      const named = (service.command ?? []).flatMap((word) => /=(\/etc\/tocsin\/\S+)$/.exec(word)?.[1] ?? []);
      const targets = mountsOf(service).map(({ target }) => target);
      expect([name, named.filter((path) => !targets.includes(path))]).toEqual([name, []]);
    }
    const targets = mounts.map(({ target }) => target);
    for (const [file, key] of [
      ['exporters/blackbox.yml', 'ca_file'],
      ['grafana/provisioning/dashboards/tocsin.yaml', 'path'],
    ] as const) {
      expect(targets).toContain(
        new RegExp(`^ *${key}: (\\S+)$`, 'm').exec(text(`infra/deploy/observability/${file}`))?.[1],
      );
    }
  });
});

describe('files', () => {
  it('that are mounted are in the repository, or made by a command of README.md', () => {
    const ours = mounts.filter((mount) => !isRendered(mount));
    expect(ours.length).toBeGreaterThan(5);
    expect(ours.filter(({ source }) => !existsSync(join(root, source)))).toEqual([]);
    const rendered = mounts.filter(isRendered);
    expect(new Set(rendered.map(({ source }) => source))).toEqual(
      new Set(['.tocsin/hosts/targets', '.tocsin/hosts/secrets/ca.crt']),
    );
    expect(readme).toContain(' --secrets .tocsin/hosts/secrets --out .tocsin/hosts/out\n');
    expect(readme).toContain(' infra/deploy/compose/hosts.inventory.yaml .tocsin/hosts/targets\n');
    // Where one is missing, the engine says so: it would make a folder of root's otherwise.
    for (const mount of rendered) expect([mount.source, mount.bind?.create_host_path]).toEqual([mount.source, false]);
  });

  it('that README.md names are there', () => {
    const named = [...readme.matchAll(/infra\/[\w./-]*[\w/-]/g)].map(([path]) => path);
    expect(named).toContain('infra/deploy/compose/first-start.sh');
    expect(named.filter((path) => path !== 'infra/deploy/compose/.env' && !existsSync(join(root, path)))).toEqual([]);
    const linked = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path]) => path!);
    expect(linked.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  });

  it('that the first start brings to a host are there', () => {
    const brought = wordsAfter(firstStart, 'tar -C "$here/.." -cf -').filter((word) => word !== '|');
    expect(brought).toHaveLength(3);
    expect(brought.filter((path) => !existsSync(join(root, 'infra/deploy', path)))).toEqual([]);
    expect(existsSync(join(root, 'infra/deploy/observability/exporters/role.sql'))).toBe(true);
  });

  it.each(['first-start.sh', 'host/watched'])('%s can be run, and is a script', (name) => {
    const file = join(folder, name);
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/bin\/sh\n# \S[\s\S]*\nset -eu\n/);
    expect(spawnSync('sh', ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('images', () => {
  it('are of one version each', () => {
    const named = Object.values(services).map(({ image }) => image);
    const built = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
    expect(named.length + built.length).toBeGreaterThan(8);
    expect([...named, ...built].filter((image) => !/^[\w./-]+:\w*[-.]?\d[\w.-]*$/.test(image))).toEqual([]);
  });

  it('are those of the other form where both have one', () => {
    const other = parse(text('infra/deploy/compose/compose.yaml'), { merge: true }) as Compose;
    expect(services['jaeger']!.image).toBe(other.services['jaeger']!.image);
    const version = other.services['otel-collector']!.image.split(':')[1]!;
    expect(dockerfile).toContain(`FROM otel/opentelemetry-collector-contrib:${version} `);
  });
});
