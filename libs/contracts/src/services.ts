/**
 * The one list of sub-services: how each shares its work among hosts, what it needs and what it may do. Deployments, rights
 * and tests derive from it; files that cannot (SQL, YAML, units, tables in READMEs) are compared with it by
 * `infra/tools/checks/services.spec.ts`, which names the files that a new service belongs in.
 */

/** How the instances of a service share the work. */
export type HostMode = 'dual active' | 'peers' | 'primary / standby, by lease';

/** A key or a half of a key pair that a deployment makes, named after the variable that gives it to a service. */
export type SecretKeyName =
  | 'TOCSIN_CHECKS_KEY'
  | 'TOCSIN_CHECKS_PUBLIC_KEY'
  | 'TOCSIN_CHANNELS_KEY'
  | 'TOCSIN_CHANNELS_PUBLIC_KEY'
  | 'TOCSIN_HEARTBEAT_KEY'
  | 'TOCSIN_REQUEST_KEY'
  | 'TOCSIN_TOKEN_KEY';

/**
 * What a service does at the broker, beside what follows from its consumers and commands. The broker enforces it: see
 * `wire/permissions.ts`.
 */
export interface Rights {
  /** Subjects of streams that it publishes to. */
  publishes: readonly string[];
  /** Subjects of requests that it answers. */
  serves: readonly string[];
  /** Subjects of requests that it sends. */
  asks: readonly string[];
  /** Requests that it sends to every instance of every service. */
  gathers: readonly string[];
  /** Streams that it reads without taking anything from them. */
  follows: readonly string[];
  /** Buckets whose values it reads and writes. */
  keeps: readonly string[];
  /** Whether it creates and changes streams and buckets. One service does. */
  keepsStreams: boolean;
  /** The leases that it takes: how their names begin. */
  leases: readonly string[];
  /** What an operator wants to see: how full the queues are, what the dead letters hold. */
  oversees: 'nothing' | 'queues' | 'queues and dead letters';
}

/** What a service needs. A deployment gives it that and nothing else. */
interface Needs {
  database?: {
    /** The schema that it alone writes to. It has the name of the service. */
    schema?: string;
    /** The schemas of other services whose published views it reads. */
    reads?: readonly string[];
    /** Whether a standby answers its reads, at least while there is no primary. */
    replica?: boolean;
  };
  /** Whether its instances share a cache in Redis. */
  cache?: boolean;
  /** Whether it opens connections for monitors or channels. */
  targets?: boolean;
  secretKeys?: readonly SecretKeyName[];
  /** Whether something may exist that an earlier version sealed with `TOCSIN_SECRET` and that this service opens. */
  opensFormerSecrets?: boolean;
  /** Whether it creates the first admin token. */
  bootstrapToken?: boolean;
  /** Variables without the prefix `TOCSIN_`. */
  environment?: Readonly<Record<string, string>>;
}

interface Entry extends Needs {
  hostMode: HostMode;
  /** Where it listens on a host of its own. */
  port: number;
  rights: Partial<Rights>;
}

const list = {
  gateway: {
    hostMode: 'dual active',
    port: 8420,
    cache: true,
    secretKeys: [
      'TOCSIN_CHECKS_PUBLIC_KEY',
      'TOCSIN_CHANNELS_PUBLIC_KEY',
      'TOCSIN_HEARTBEAT_KEY',
      'TOCSIN_REQUEST_KEY',
    ],
    rights: {
      // Not only heartbeats and commands: an admin drives any dead letter again.
      publishes: ['heartbeats.>', 'commands.>', 'checks.>', 'results.>', 'config.>', 'events.>'],
      asks: ['monitors.>', 'status.>', 'operations.>', 'changes.>'],
      gathers: ['system.ping'],
      follows: ['EVENTS'],
      keeps: ['operations'],
      oversees: 'queues and dead letters',
    },
  },
  monitors: {
    hostMode: 'peers',
    port: 8421,
    database: { schema: 'monitors', replica: true },
    cache: true,
    secretKeys: ['TOCSIN_CHECKS_PUBLIC_KEY', 'TOCSIN_CHANNELS_PUBLIC_KEY', 'TOCSIN_TOKEN_KEY'],
    opensFormerSecrets: true,
    bootstrapToken: true,
    rights: {
      // A check that a person wants now goes straight to the probers.
      publishes: ['config.>', 'events.monitors.>', 'events.tokens.>', 'checks.>'],
      serves: ['monitors.>'],
      follows: ['CONFIG', 'EVENTS'],
      keepsStreams: true,
    },
  },
  scheduler: {
    hostMode: 'primary / standby, by lease',
    port: 8422,
    rights: { publishes: ['checks.>'], follows: ['CONFIG'], keeps: ['watermarks'], leases: ['scheduler'] },
  },
  prober: {
    hostMode: 'peers',
    port: 8423,
    targets: true,
    secretKeys: ['TOCSIN_CHECKS_KEY'],
    opensFormerSecrets: true,
    // Looking up names takes a thread each: four silent name servers must not hold up every other name.
    environment: { UV_THREADPOOL_SIZE: '32' },
    rights: { publishes: ['results.>'] },
  },
  incidents: {
    hostMode: 'peers',
    port: 8424,
    database: { schema: 'incidents' },
    rights: {
      // It has a first failure confirmed by a check.
      publishes: ['checks.>', 'events.incidents.>', 'events.states.>'],
      asks: ['notifier.>'],
      follows: ['CONFIG'],
      // What silence means depends on whether results get through.
      oversees: 'queues',
    },
  },
  notifier: {
    hostMode: 'peers',
    port: 8425,
    database: { schema: 'notifier' },
    targets: true,
    secretKeys: ['TOCSIN_CHANNELS_KEY'],
    opensFormerSecrets: true,
    rights: {
      publishes: ['events.notifications.>'],
      serves: ['notifier.>'],
      // Whether a channel exists whose configuration has not arrived yet.
      asks: ['monitors.channels.get'],
      follows: ['CONFIG'],
      gathers: ['system.ping'],
      leases: ['notifier'],
      // The dead man's call is made only while all of Tocsin works.
      oversees: 'queues',
    },
  },
  status: {
    hostMode: 'peers',
    port: 8426,
    database: { reads: ['incidents', 'notifier'], replica: true },
    cache: true,
    rights: { serves: ['status.>'], follows: ['EVENTS'] },
  },
} as const satisfies Record<string, Entry>;

export type ServiceName = keyof typeof list;
/** A service that has a role at PostgreSQL, which is called as it is. */
export type DatabaseRole = {
  [Name in ServiceName]: (typeof list)[Name] extends Required<Pick<Needs, 'database'>> ? Name : never;
}[ServiceName];

/** An entry of the list, with all that it does not say. */
export interface Service extends Omit<Entry, 'rights'> {
  name: ServiceName;
  rights: Rights;
}

const NONE: Rights = {
  publishes: [],
  serves: [],
  asks: [],
  gathers: [],
  follows: [],
  keeps: [],
  keepsStreams: false,
  leases: [],
  oversees: 'nothing',
};

/** In the order in which tables show them. */
export const serviceNames = Object.keys(list) as ServiceName[];

export const services = Object.fromEntries(
  serviceNames.map((name) => {
    const entry: Entry = list[name];
    return [name, { ...entry, name, rights: { ...NONE, ...entry.rights } }];
  }),
) as Record<ServiceName, Service>;

export function isDatabaseRole(name: ServiceName): name is DatabaseRole {
  return services[name].database !== undefined;
}
export const databaseRoles = serviceNames.filter(isDatabaseRole);

/** The services that share a cache among their instances. Each is a user of Redis, and nothing else is one. */
export const cacheUsers = serviceNames.filter((name) => services[name].cache);
