import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { cacheRulesOf, cacheUsers, consumers, sentinelRules, serviceNames, services } from '@tocsin/contracts';
import { commandKeysOf, newCommandKeys, newSecretKeys, secretKeysOf } from '@tocsin/local';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  built,
  type Deployment,
  documentsIn,
  documentsOf,
  filesOf,
  kustomizationIn,
  type Manifest,
  yamlFilesIn,
} from './src/manifests.ts';
import { newSecrets } from './src/secrets.ts';

const root = join(import.meta.dirname, '../../..');
const kubernetes = join(root, 'infra/deploy/kubernetes');
const example = join(kubernetes, 'overlays/example');
const servers = join(kubernetes, 'servers');
const componentNames = readdirSync(join(kubernetes, 'components'));
const components = componentNames.map((name) => join(kubernetes, 'components', name));
const upgrades = readdirSync(join(kubernetes, 'upgrade')).map((name) => join(kubernetes, 'upgrade', name));
const base = built(join(kubernetes, 'base'));
const secretFolder = '/run/secrets/tocsin';

const kubectl = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'kubectl')));

function rendered(folder: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return documentsIn(text, folder);
}

/** The base with these components. */
function renderedWith(components: readonly string[]): Manifest[] {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-kubernetes-'));
  try {
    const from = (path: string): string => relative(folder, path);
    const kustomization = { resources: [from(join(kubernetes, 'base'))], components: components.map(from) };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return rendered(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lists of named things in the order of their names: the order in which patches are applied decides nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const text = (entry: unknown): string => JSON.stringify(entry);
    return value.map(sorted).toSorted((a, b) => text(a).localeCompare(text(b)));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, entry]): [string, unknown] => [key, sorted(entry)])
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

function find<T extends Manifest>(manifests: readonly Manifest[], kind: string, name: string): T {
  const found = manifests.filter((one) => one.kind === kind && one.metadata.name === name);
  expect(found, `one ${kind} ${name}`).toHaveLength(1);
  return found[0] as T;
}

function podOf(manifests: readonly Manifest[], app: string) {
  const { spec } = find<Deployment>(manifests, 'Deployment', app).spec.template;
  expect(spec.containers).toHaveLength(1);
  return { ...spec, container: spec.containers[0]! };
}

function variablesOf(manifests: readonly Manifest[], app: string): Map<string, string | undefined> {
  return new Map(podOf(manifests, app).container.env.map(({ name, value }) => [name, value]));
}

/** Which secret values it is given, by the names of the variables. */
function givenTo(manifests: readonly Manifest[], app: string): string[] {
  return [...variablesOf(manifests, app)]
    .filter(([name, value]) => name.endsWith('_FILE') && dirname(value ?? '') === secretFolder)
    .map(([name]) => name.slice(0, -'_FILE'.length))
    .toSorted();
}

/** The variables that stand in a text, without the ending that makes them name a file. */
function variablesIn(text: string): string[] {
  return (text.match(/\bTOCSIN_[A-Z0-9_]+/g) ?? []).map((name) => name.replace(/_FILE$/, ''));
}

/** Of these variables, those that no README of these folders explains. */
function unexplained(names: readonly string[], folders: readonly string[]): string[] {
  const explained = folders.flatMap((folder) => variablesIn(readFileSync(join(root, folder, 'README.md'), 'utf8')));
  return [...new Set(names)].filter((name) => !explained.includes(name));
}

describe('the files of infra/deploy/kubernetes', () => {
  const files = yamlFilesIn(kubernetes);

  it.each(files.map((file) => relative(kubernetes, file)))('%s is YAML, each document with a kind', (file) => {
    if (basename(file) === 'nats-values.yaml') return;
    for (const document of documentsOf(join(kubernetes, file))) expect(document.kind).toMatch(/^[A-Z]/);
  });

  it('are all reached from a kustomization, and all that one names is there', () => {
    const reached = new Set([example, servers, ...components, ...upgrades].flatMap(filesOf));
    const values = join(servers, 'nats-values.yaml');
    expect(files.filter((file) => !reached.has(file) && file !== values)).toEqual([]);
  });

  it('name no TOCSIN_ variable that no README explains', () => {
    const named = files.flatMap((file) => variablesIn(readFileSync(file, 'utf8')));
    expect(unexplained(named, ['libs/service', ...serviceNames.map((app) => `apps/${app}`)])).toEqual([]);
  });
});

describe.each(serviceNames)('%s', (app) => {
  const needs = services[app];

  it('runs at least twice, on hosts of their own', () => {
    const { spec } = find<Deployment>(base, 'Deployment', app);
    expect(spec.replicas).toBeGreaterThanOrEqual(app === 'prober' ? 3 : 2);
    const labels = { 'app.kubernetes.io/name': app, 'app.kubernetes.io/part-of': 'tocsin' };
    expect(spec).toMatchObject({
      selector: { matchLabels: { 'app.kubernetes.io/name': app } },
      template: { metadata: { labels } },
    });
    expect(podOf(base, app)).toHaveProperty(
      'topologySpreadConstraints',
      expect.arrayContaining([
        expect.objectContaining({
          topologyKey: 'kubernetes.io/hostname',
          maxSkew: 1,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'tocsin' } },
          matchLabelKeys: ['app.kubernetes.io/name', 'pod-template-hash'],
        }),
      ]),
    );
  });

  it('is replaced and drained one at a time', () => {
    expect(find(base, 'Deployment', app).spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    expect(find(base, 'PodDisruptionBudget', app).spec).toMatchObject({
      minAvailable: 1,
      selector: { matchLabels: { 'app.kubernetes.io/name': app } },
    });
  });

  it('is asked whether it lives and whether it is ready', () => {
    const live = { httpGet: { path: '/health/live', port: 'http' } };
    expect(podOf(base, app).container).toMatchObject({
      ports: [{ name: 'http', containerPort: 8080 }],
      startupProbe: live,
      livenessProbe: live,
      readinessProbe: { httpGet: { path: '/health/ready', port: 'http' } },
    });
    expect(variablesOf(base, app).get('TOCSIN_HTTP_PORT')).toBe('8080');
    expect(variablesOf(base, app).get('TOCSIN_HTTP_HOST')).toBe('0.0.0.0');
  });

  it('has the time to stop that it may take', () => {
    const variables = variablesOf(base, app);
    const shutdown = Number(variables.get('TOCSIN_SHUTDOWN_MS'));
    const drain = Number(variables.get('TOCSIN_DRAIN_GRACE_MS') ?? 0);
    expect(podOf(base, app).terminationGracePeriodSeconds * 1_000).toBeGreaterThan(shutdown + drain);
    // The bound of stopping includes the grace: something must be left to finish in.
    expect(shutdown - drain).toBeGreaterThanOrEqual(10_000);
    // Whoever has endpoints goes on serving until it has left them.
    const served = base.some(({ kind, metadata }) => kind === 'Service' && metadata.name === app);
    expect(drain).toBeGreaterThanOrEqual(served ? 5_000 : 0);
  });

  it('may do nothing on its host or in the cluster', () => {
    const { container, ...pod } = podOf(base, app);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      resources: {
        requests: { cpu: expect.stringMatching(/^\d+m$/) as string, memory: '160Mi' },
        limits: { memory: '320Mi' },
      },
    });
  });

  it('is given the secrets that it needs and no others, in files', () => {
    const { container, volumes } = podOf(base, app);
    const needed = [
      'TOCSIN_NATS_PASSWORD',
      ...(needs.database ? ['TOCSIN_DATABASE_URL'] : []),
      ...(needs.database?.replica ? ['TOCSIN_DATABASE_REPLICA_URL'] : []),
      ...(needs.cache ? ['TOCSIN_REDIS_URL'] : []),
      ...Object.keys(secretKeysOf(needs.name, { secretKeys: newSecretKeys() })),
      ...Object.keys(commandKeysOf(needs.name, newCommandKeys())),
      ...(needs.bootstrapToken ? ['TOCSIN_BOOTSTRAP_TOKEN'] : []),
    ].toSorted();
    expect(givenTo(base, app)).toEqual(needed);
    const held = newSecrets().find(({ metadata }) => metadata.name === app)?.stringData ?? {};
    expect(Object.keys(held).toSorted()).toEqual(needed);

    const secrets = volumes.flatMap(({ secret }) => (secret ? [secret] : []));
    const own = secrets.filter(({ secretName }) => !['nats-tls', 'dead-mans-switch'].includes(secretName));
    expect(own.map(({ secretName }) => secretName)).toEqual([app]);
    // Beside the certificate there lies the broker's key.
    const authority = secrets.find(({ secretName }) => secretName === 'nats-tls');
    expect(authority?.items).toEqual([{ key: 'ca.crt', path: 'ca.crt' }]);
    expect(container.envFrom).toBeUndefined();
    for (const { valueFrom } of container.env) expect(valueFrom?.secretKeyRef).toBeUndefined();
  });

  it('reaches what it needs and nothing else', () => {
    const { labels } = find<Deployment>(base, 'Deployment', app).spec.template.metadata;
    const reaches = Object.keys(labels).filter((label) => label.startsWith('tocsin/'));
    expect(reaches.toSorted()).toEqual([
      ...(needs.cache ? ['tocsin/cache'] : []),
      ...(needs.database ? ['tocsin/database'] : []),
      ...(needs.targets ? ['tocsin/outside'] : []),
    ]);
  });

  it('is named after its pod, logs in as itself and knows its variables', () => {
    const { container } = podOf(base, app);
    const instance = container.env.find(({ name }) => name === 'TOCSIN_INSTANCE');
    expect(instance?.valueFrom).toEqual({ fieldRef: { fieldPath: 'metadata.name' } });
    const variables = variablesOf(base, app);
    expect(variables.get('TOCSIN_NATS_USER')).toBe(app);
    expect(Object.fromEntries(variables)).toMatchObject(needs.environment ?? {});
    const own = variablesIn([...variables.keys()].join(' '));
    expect(unexplained(own, ['libs/service', `apps/${app}`])).toEqual([]);
  });
});

describe('the network', () => {
  const policies = base.filter(({ kind }) => kind === 'NetworkPolicy');

  it('lets nothing through that is not listed', () => {
    expect(find(policies, 'NetworkPolicy', 'tocsin-nothing-else').spec).toEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'tocsin' } },
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  it('has a way for each label that a pod may bear', () => {
    const ways = policies.map(({ spec }) => JSON.stringify(spec));
    for (const label of ['cache', 'database', 'outside']) {
      expect(ways.filter((way) => way.includes(`"tocsin/${label}":"true"`))).toHaveLength(1);
    }
  });
});

describe('the example Ingress', () => {
  it('publishes the API and its description, and neither metrics nor health', () => {
    const ingress = parse(readFileSync(join(example, 'ingress.yaml'), 'utf8')) as {
      spec: { rules: { http: { paths: { path: string; pathType: string }[] } }[] };
    };
    const paths = ingress.spec.rules.flatMap(({ http }) =>
      http.paths.map(({ path, pathType }) => `${pathType} ${path}`),
    );
    expect(paths).toEqual(['Exact /', 'Prefix /v1', 'Prefix /docs']);
  });
});

describe('the servers', () => {
  const manifests = built(servers);

  it('show certificates for the names that they are called by', () => {
    const names = manifests.flatMap(({ kind, spec }) =>
      kind === 'Certificate' ? ((spec as { dnsNames?: string[] }).dnsNames ?? []) : [],
    );
    const urls = variablesOf(base, 'status').get('TOCSIN_NATS_URLS')!.split(',');
    const database = newSecrets().flatMap(({ stringData }) => [
      ...[stringData['TOCSIN_DATABASE_URL'] ?? []].flat(),
      ...[stringData['TOCSIN_DATABASE_REPLICA_URL'] ?? []].flat(),
    ]);
    for (const url of [...urls, ...database]) {
      expect(names).toContain(new URL(url).hostname);
      expect(url).toMatch(/^tls:|sslmode=verify-full$/);
    }
    expect(urls).toHaveLength(3);
  });

  it('keep what was acknowledged', () => {
    expect(find(manifests, 'Cluster', 'postgres').spec).toMatchObject({
      instances: 3,
      postgresql: { synchronous: { method: 'any', number: 1, dataDurability: 'required', failoverQuorum: true } },
    });
    const [values] = documentsOf(join(servers, 'nats-values.yaml'));
    expect(values).toMatchObject({
      config: {
        cluster: { enabled: true, replicas: 3, tls: { enabled: true } },
        jetstream: { enabled: true, merge: { sync_interval: 'always' } },
        nats: { tls: { enabled: true } },
      },
    });
  });

  it('know each sub-service as a user with rights of its own', () => {
    const [auth] = newSecrets().filter(({ metadata }) => metadata.name === 'nats-auth');
    const text = auth!.stringData['auth.conf']!;
    const { users } = JSON.parse(text.replace(/^authorization /, '')) as {
      users: { user: string; password: string; permissions: { publish: string[]; subscribe: string[] } }[];
    };
    expect(users.map(({ user }) => user).toSorted()).toEqual(serviceNames.toSorted());
    expect(new Set(users.map(({ password }) => password)).size).toBe(serviceNames.length);
    for (const { permissions } of users) expect(permissions.publish).not.toContain('>');
  });

  it('know each sub-service that has a cache as a user of Redis and of the Sentinels, and nobody else but the operator', () => {
    const held = new Map(newSecrets().map(({ metadata, stringData }) => [metadata.name, stringData]));
    const { password: operator = '', ...files } = held.get('redis') ?? {};
    const passwords = cacheUsers.map((name) => {
      const url = held.get(name)?.['TOCSIN_REDIS_URL'] ?? '';
      expect(url).toMatch(new RegExp(`^redis\\+sentinel://${name}:[^:@]+@`));
      return /:([^:@]+)@/.exec(url)![1]!;
    });
    expect(new Set([operator, ...passwords]).size).toBe(cacheUsers.length + 1);
    for (const app of serviceNames) expect(JSON.stringify(held.get(app))).not.toContain(operator);
    const lines = (rulesOf: (name: (typeof cacheUsers)[number]) => string): string[] => [
      `user default on >${operator} ~* &* +@all`,
      ...cacheUsers.map((name, n) => `user ${name} on >${passwords[n]} ${rulesOf(name)}`),
    ];
    expect(files['user.acl']?.trimEnd().split('\n')).toEqual(lines(cacheRulesOf));
    expect(files['sentinel.acl']?.trimEnd().split('\n')).toEqual(lines(() => sentinelRules));
  });

  it('read those users where they are mounted', () => {
    const file = (key: string) => ({ secretName: 'redis', defaultMode: 0o440, items: [{ key, path: key }] });
    const kubernetesConfig = { redisSecret: { name: 'redis', key: 'password' } };
    expect(find(manifests, 'RedisReplication', 'redis').spec).toMatchObject({
      kubernetesConfig,
      acl: { secret: file('user.acl') },
    });
    expect(find(manifests, 'RedisSentinel', 'redis').spec).toMatchObject({
      kubernetesConfig,
      redisSentinelConfig: { additionalSentinelConfig: 'redis-sentinel' },
      volumeMount: {
        volume: [{ name: 'users', secret: file('sentinel.acl') }],
        mountPath: [{ name: 'users', mountPath: '/etc/redis-users', readOnly: true }],
      },
    });
    expect(find(manifests, 'ConfigMap', 'redis-sentinel')).toMatchObject({
      data: { 'redis-sentinel-additional.conf': 'aclfile /etc/redis-users/sentinel.acl\n' },
    });
  });
});

describe('autoscaling', () => {
  interface Scaled {
    scaleTargetRef: { name: string };
    minReplicaCount: number;
    triggers: { type: string; metadata: Record<string, string> }[];
  }
  const folder = join(kubernetes, 'components/autoscaling');
  const scaled = ['by-queue.yaml', 'by-processor.yaml'].flatMap((file) =>
    documentsOf(join(folder, file)).map(({ spec }) => spec as Scaled),
  );
  const names = scaled.map(({ scaleTargetRef }) => scaleTargetRef.name).toSorted();

  it('is for all but the scheduler, whose number of instances nobody else sets', () => {
    expect(names).toEqual(serviceNames.filter((app) => app !== 'scheduler').toSorted());
    const [patch] = kustomizationIn(folder).patches ?? [];
    expect(patch?.target.name?.split('|').toSorted()).toEqual(names);
  });

  it('never goes below what survives a host', () => {
    for (const { scaleTargetRef, minReplicaCount } of scaled) {
      expect(minReplicaCount).toBe(scaleTargetRef.name === 'prober' ? 3 : 2);
    }
  });

  it('looks at queues that there are', () => {
    const queues = scaled.flatMap(({ triggers, scaleTargetRef }) =>
      triggers
        .filter(({ type }) => type === 'nats-jetstream')
        .map(({ metadata }) => ({ ...metadata, of: scaleTargetRef.name })),
    );
    const known = [
      ...Object.values(consumers).map(({ stream, durable }) => ({ stream, consumer: durable })),
      { stream: 'COMMANDS', consumer: 'monitors-commands' },
    ];
    expect(queues).toHaveLength(4);
    for (const { stream, consumer, of } of queues as Record<string, string>[]) {
      expect(known).toContainEqual({ stream, consumer });
      expect(consumer).toMatch(new RegExp(`^${of}-`));
    }
  });
});

describe('kubectl kustomize', () => {
  beforeEach(({ skip }) => skip(!kubectl, 'kubectl is not on the PATH'));

  it('makes of the base what is checked above', () => {
    const theirs = rendered(join(kubernetes, 'base'));
    expect(theirs).toHaveLength(base.length);
    for (const { kind, metadata, spec } of base) {
      expect(sorted(find(theirs, kind, metadata.name).spec)).toEqual(sorted(spec));
    }
  });

  it('renders the example, with images from its registry in its namespace', () => {
    const manifests = rendered(example);
    for (const app of serviceNames) {
      expect(find(manifests, 'Deployment', app).metadata).toHaveProperty('namespace', 'tocsin');
      expect(podOf(manifests, app).container.image).toMatch(new RegExp(`^registry.example.com/tocsin/${app}:\\d`));
    }
    expect(variablesOf(manifests, 'gateway').get('TOCSIN_PUBLIC_URL')).toMatch(/^https:/);
  });

  it('renders the servers', () => {
    const kinds = rendered(servers).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['Namespace', 'Cluster', 'RedisReplication', 'RedisSentinel']));
  });

  it('renders the base with every component', () => {
    const manifests = renderedWith(components);
    for (const app of serviceNames) {
      const { spec } = find<Deployment>(manifests, 'Deployment', app);
      expect(spec.replicas).toBe(app === 'scheduler' ? 2 : undefined);
      expect(variablesOf(manifests, app).get('OTEL_EXPORTER_OTLP_ENDPOINT')).toMatch(/^http:/);
      expect(spec.template.metadata).not.toHaveProperty('annotations');
      expect(variablesOf(manifests, app).has('TOCSIN_DEADMAN_URL_FILE')).toBe(app === 'notifier');
    }
    const kinds = manifests.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['ScaledObject', 'PodMonitor', 'NetworkPolicy']));
  });

  it('gives the key of before to whoever had it, and seals with it alone where it is told to', () => {
    const upgrade = (name: string): string => join(kubernetes, 'upgrade', name);
    const [opens, seals] = [
      renderedWith([upgrade('key-of-before')]),
      renderedWith([upgrade('key-of-before'), upgrade('sealing-as-before')]),
    ];
    for (const app of serviceNames) {
      const had = services[app].secretKeys !== undefined;
      const now = givenTo(base, app);
      expect(givenTo(opens, app)).toEqual(had ? [...now, 'TOCSIN_SECRET'].toSorted() : now);
      expect(givenTo(seals, app)).toEqual(
        givenTo(opens, app).filter((name) => !/^TOCSIN_(CHECKS|CHANNELS)_PUBLIC_KEY$/.test(name)),
      );
    }
  });
});
